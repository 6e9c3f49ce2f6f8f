import type { InboundTurn } from "@synthesis/protocol/plugin-client";
import { isPromptOf } from "./channel.ts";

/** What Claude is at: a message of the bridge's, or something that its owner typed. */
type ClaudesTurn = InboundTurn | "owner" | "none";

const CANCELLED = "The sender cancelled this message: stop working on it.";

/**
 * Which message of the bridge's Claude is at. The bridge's turns and Claude's are not the same: a message waits while
 * Claude is at something else, Claude goes on after a cancel, and its owner may type into its terminal.
 */
export class ClaudeTurns {
  /** The last message of the bridge's. */
  #message: InboundTurn | undefined;
  #claudes: ClaudesTurn = "none";
  /** The message of whose answer more is to follow. */
  #unfinished: InboundTurn | undefined;
  /** Why there will be no message any more. */
  #obstacle: string | undefined;

  /** A message comes, and Claude does not know it yet. */
  begin(message: InboundTurn): void {
    this.#message = message;
  }

  /** A message that Claude is at already. */
  takeUp(message: InboundTurn): void {
    this.#message = message;
    this.#claudes = message;
  }

  /** From now on no message comes any more. */
  block(obstacle: string): void {
    this.#obstacle ??= obstacle;
  }

  /** The message that Claude is at, if it is at one whose answer somebody waits for. */
  get answering(): InboundTurn | undefined {
    if (typeof this.#claudes === "string" || this.#claudes.signal.aborted) return undefined;
    return this.#claudes === this.#message ? this.#message : undefined;
  }

  /** Claude has a prompt before it. */
  onPrompt(prompt: string): void {
    const message = this.#message;
    if (message !== undefined && isPromptOf(prompt, message.id)) {
      this.#claudes = message;
      message.seen();
    } else if (this.#claudes === "none") this.#claudes = "owner";
  }

  /** Claude is about to use a tool. Returns why it must not, or nothing. */
  onToolUse(tool: string): string | undefined {
    const message = this.#claudes;
    if (typeof message === "string") return undefined;
    if (!message.signal.aborted) {
      message.progress(`[${tool}]\n`);
      return undefined;
    }
    this.onEnd(); // to say no ends Claude's turn
    return CANCELLED;
  }

  /** Claude has ended its turn, and said `text` last: which is the rest of an answer of which more was to follow. */
  onEnd(text?: string): void {
    const message = this.#claudes;
    this.#claudes = "none";
    if (typeof message === "string") return;
    const isRest = message === this.#unfinished && !message.signal.aborted;
    if (isRest && text !== undefined && text !== "") message.end(`\n\n${text}`);
    message.over(text);
  }

  /** Claude could not go on. */
  onFailure(why: string): void {
    if (typeof this.#claudes !== "string") this.#claudes.fail(why);
    this.onEnd();
  }

  /**
   * The message that a call of Claude's answers, or why there is none. `id`: which it means, where it says so. That
   * it answers one shows that it has it before it, whatever its hooks say.
   */
  toAnswer(id: string | undefined): { readonly message: InboundTurn } | { readonly obstacle: string } {
    if (this.#obstacle !== undefined) return { obstacle: this.#obstacle };
    const message = this.#message;
    const other = typeof this.#claudes === "string" ? undefined : this.#claudes;
    if (id === undefined && other?.signal.aborted) return { obstacle: CANCELLED };
    if (message === undefined) return { obstacle: "There is no message to answer: wait for the next one." };
    if (id !== undefined && id !== message.id) return { obstacle: `The message ${id} is over.` };
    if (message.signal.aborted) return { obstacle: CANCELLED };
    this.#claudes = message;
    return { message };
  }

  /** A part of the answer to this message was passed on, and more is to follow. */
  answeredInPart(message: InboundTurn): void {
    this.#unfinished = message;
  }

  /** Nothing more can be answered to this message. */
  answered(message: InboundTurn): void {
    if (this.#message === message) this.#message = undefined;
  }
}
