import type { ToolCallDelta } from "@synthesis/protocol";

/** A stretch of an answer: text, thinking and tool activity, or the call of one of the client's functions. */
export type AnswerBlock = BlockKind & {
  /** Its place among the answer's blocks, from 0. */
  readonly index: number;
  /** The text; of a call the arguments' JSON. It grows until the block is closed. */
  content: string;
};

type BlockKind =
  | { readonly type: "text" | "reasoning" }
  | { readonly type: "call"; readonly id: string; readonly name: string };

/** Who is told how the blocks grow. */
export interface BlockListener {
  opened(block: AnswerBlock): void;
  grew(block: AnswerBlock, piece: string): void;
  closed(block: AnswerBlock): void;
}

/** Of the thinking and activity of one answer, which no other limit holds: what is more is left out, and said to be. */
const MAX_REASONING_CHARACTERS = 4 * 1024 * 1024;
const LEFT_OUT = "\n[what follows of the thinking and the activity is left out]\n";

/** Puts an answer's pieces together: block after block, one open at a time. */
export class AnswerBlocks {
  readonly #listener: BlockListener | undefined;
  readonly #blocks: AnswerBlock[] = [];
  /** By their number in the turn. */
  readonly #calls = new Map<number, AnswerBlock>();
  #open: AnswerBlock | undefined;
  /** What was said within a call, whose block must be whole: the next one. */
  #within = "";
  #reasoningLeft = MAX_REASONING_CHARACTERS;

  constructor(listener?: BlockListener) {
    this.#listener = listener;
  }

  /** Those so far, the open one too. */
  get all(): readonly AnswerBlock[] {
    return this.#blocks;
  }

  addText(piece: string): void {
    this.#grow(this.#open?.type === "text" ? this.#open : this.#begin({ type: "text" }), piece);
  }

  addReasoning(piece: string): void {
    if (this.#reasoningLeft <= 0) return;
    const isLast = piece.length >= this.#reasoningLeft;
    const kept = isLast ? piece.slice(0, this.#reasoningLeft) + LEFT_OUT : piece;
    this.#reasoningLeft -= piece.length;
    if (this.#open?.type === "call") this.#within += kept;
    else this.#grow(this.#open?.type === "reasoning" ? this.#open : this.#begin({ type: "reasoning" }), kept);
  }

  addCall({ index, id = "", name = "", arguments: piece }: ToolCallDelta): void {
    const block = this.#calls.get(index) ?? this.#begin({ type: "call", id, name });
    this.#calls.set(index, block);
    this.#grow(block, piece);
  }

  /** Nothing more comes. */
  close(): void {
    this.#closeOpen();
    const within = this.#within;
    if (within === "") return;
    this.#within = "";
    this.#grow(this.#openNew({ type: "reasoning" }), within);
    this.#closeOpen();
  }

  #begin(kind: BlockKind): AnswerBlock {
    this.close();
    return this.#openNew(kind);
  }

  #openNew(kind: BlockKind): AnswerBlock {
    const block: AnswerBlock = { ...kind, index: this.#blocks.length, content: "" };
    this.#blocks.push(block);
    this.#open = block;
    this.#listener?.opened(block);
    return block;
  }

  #grow(block: AnswerBlock, piece: string): void {
    if (piece === "") return; // the first piece of a call has only its name
    block.content += piece;
    this.#listener?.grew(block, piece);
  }

  #closeOpen(): void {
    if (this.#open !== undefined) this.#listener?.closed(this.#open);
    this.#open = undefined;
  }
}
