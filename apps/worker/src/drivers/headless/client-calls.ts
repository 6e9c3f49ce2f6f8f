import { plainCallId, type ToolCallDelta } from "@synthesis/protocol";
import type { TextVerdict } from "./answer-text.ts";
import type { OpenCall } from "./prompt-content.ts";

/** One call, as far as the client was told it. */
interface ToldCall {
  /** Stays, though Claude names another attempt at the same call differently. */
  readonly id: string;
  readonly name: string;
  arguments: string;
  claudeId: string;
}

/** A call of the current attempt at a message. */
interface Attempt {
  readonly call: ToldCall;
  /** How far it agrees with what was told of its arguments. */
  position: number;
  isWhole: boolean;
}

/**
 * The calls of a client's functions in one turn, handed on as they come. Where Claude asks its API again they come
 * again: what was told is skipped as long as it is the same, and a difference is found out, never told.
 */
export class ClientCalls {
  readonly #tell: (call: ToolCallDelta) => void;
  readonly #told: ToldCall[] = [];
  /** How many of them stand. */
  #standing = 0;
  /** By the index of their content block. */
  #attempts = new Map<number, Attempt>();

  constructor(tell: (call: ToolCallDelta) => void) {
    this.#tell = tell;
  }

  get isEmpty(): boolean {
    return this.#told.length === 0;
  }

  /** Whether all that was told stands. */
  get areWhole(): boolean {
    return this.#standing === this.#told.length;
  }

  /** Those that stand. */
  get open(): OpenCall[] {
    return this.#told.slice(0, this.#standing);
  }

  /** Whether Claude means one of them by this id. */
  has(claudeId: string): boolean {
    return this.#told.some((call) => call.claudeId === claudeId);
  }

  /** A message begins, or begins anew. */
  beginMessage(): void {
    this.#attempts.clear();
  }

  begin(block: number, claudeId: string, name: string): TextVerdict {
    const index = this.#standing + this.#attempts.size;
    let call = this.#told[index];
    if (call === undefined) {
      call = { id: plainCallId(claudeId), name, arguments: "", claudeId };
      this.#told.push(call);
      this.#tell({ index, id: call.id, name, arguments: "" });
    }
    this.#attempts.set(block, { call, position: 0, isWhole: false });
    call.claudeId = claudeId;
    return call.name === name ? "agrees" : "diverged";
  }

  /** More of the arguments of the call in this block, if it is one. */
  add(block: number, json: string): TextVerdict {
    const attempt = this.#attempts.get(block);
    if (attempt === undefined) return "agrees";
    const { call, position } = attempt;
    const again = Math.min(json.length, call.arguments.length - position);
    if (!call.arguments.startsWith(json.slice(0, again), position)) return "diverged";
    attempt.position += json.length;
    const fresh = json.slice(again);
    if (fresh === "") return "agrees";
    call.arguments += fresh;
    this.#tell({ index: this.#told.indexOf(call), arguments: fresh });
    return "agrees";
  }

  /** The block is complete; a call without arguments came without any text. */
  end(block: number): TextVerdict {
    const attempt = this.#attempts.get(block);
    if (attempt === undefined) return "agrees";
    if (attempt.position === 0 && this.add(block, "{}") === "diverged") return "diverged";
    attempt.isWhole = true;
    return attempt.position === attempt.call.arguments.length ? "agrees" : "diverged";
  }

  /** The blocks from `fromBlock` on are void, and may come again. */
  abandon(fromBlock: number): void {
    for (const [block, { isWhole }] of this.#attempts) if (block < fromBlock && isWhole) this.#standing++;
    this.#attempts.clear();
  }

  /** The message is complete and stands. */
  finishMessage(): TextVerdict {
    this.#standing += this.#attempts.size;
    this.#attempts.clear();
    return this.areWhole ? "agrees" : "diverged";
  }
}
