import type { ToolCallDelta } from "@synthesis/protocol";

/** A stretch of an answer: text, thinking and tool activity, or the call of one of the client's functions. */
export type AnswerBlock = {
  /** Its place among the answer's blocks, from 0. */
  readonly index: number;
  /** The text; of a call the arguments' JSON. It grows until the block is closed. */
  content: string;
} & (
  | { readonly type: "text" | "reasoning" }
  | { readonly type: "call"; readonly id: string; readonly name: string }
);

/** Who is told how the blocks grow. */
export interface BlockListener {
  opened(block: AnswerBlock): void;
  grew(block: AnswerBlock, piece: string): void;
  closed(block: AnswerBlock): void;
}

/** Puts an answer's pieces together: block after block, one open at a time. */
export class AnswerBlocks {
  readonly #listener: BlockListener;
  readonly #blocks: AnswerBlock[] = [];
  #open: AnswerBlock | undefined;
  /** Which call the open block is. */
  #call: number | undefined;

  constructor(listener: BlockListener) {
    this.#listener = listener;
  }

  /** Those so far, the open one too. */
  get all(): readonly AnswerBlock[] {
    return this.#blocks;
  }

  add(type: "text" | "reasoning", piece: string): void {
    const open = this.#open?.type === type ? this.#open : this.#begin({ type });
    this.#grow(open, piece);
  }

  addCall({ index, id = "", name = "", arguments: piece }: ToolCallDelta): void {
    const open =
      this.#open !== undefined && this.#call === index ? this.#open : this.#begin({ type: "call", id, name });
    this.#call = index;
    this.#grow(open, piece);
  }

  /** Nothing more comes. */
  close(): void {
    if (this.#open !== undefined) this.#listener.closed(this.#open);
    this.#open = undefined;
    this.#call = undefined;
  }

  #begin(kind: { type: "text" | "reasoning" } | { type: "call"; id: string; name: string }): AnswerBlock {
    this.close();
    const block: AnswerBlock = { ...kind, index: this.#blocks.length, content: "" };
    this.#blocks.push(block);
    this.#open = block;
    this.#listener.opened(block);
    return block;
  }

  #grow(block: AnswerBlock, piece: string): void {
    if (piece === "") return; // the first piece of a call has only its name
    block.content += piece;
    this.#listener.grew(block, piece);
  }
}
