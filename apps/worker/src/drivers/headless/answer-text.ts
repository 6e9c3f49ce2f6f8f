/** What a message's text became: shown in full, or at odds with what was already shown. */
export type TextVerdict = "agrees" | "diverged";

/**
 * The text of one turn's answer, made from API messages of which some are void. A cut or broken API stream
 * makes Claude ask again, and the text comes again from its start: what was already handed on is skipped as
 * long as it is the same, and a difference is found out, never shown twice.
 */
export class AnswerText {
  readonly #emit: (text: string) => void;
  /** What was handed on of the current message, its first attempts included. */
  #shown = "";
  /** How far the current attempt agrees with `#shown`. */
  #position = 0;
  #messageId: string | undefined;
  #finishedId: string | undefined;
  /** Written before the first text of the next message, to set it apart from the last one's. */
  #separator = "";
  #emittedAny = false;
  /** Where each content block of the current attempt begins. */
  #blockStarts: number[] = [];

  constructor(emit: (text: string) => void) {
    this.#emit = emit;
  }

  get isEmpty(): boolean {
    return !this.#emittedAny;
  }

  /** A message begins, or the current one begins anew. */
  beginMessage(id: string): void {
    this.#messageId = id;
    this.#restart();
  }

  beginBlock(index: number): void {
    this.#blockStarts[index] = this.#position;
  }

  /** Whether `id` is the message being read, or the one that just ended: its text has been seen. */
  knows(id: string): boolean {
    return this.#messageId === id || this.#finishedId === id;
  }

  /** The blocks from `fromBlock` on are void and come again; those before stand (Claude keeps them after a cut). */
  abandon(fromBlock: number): void {
    const begun = this.#blockStarts[fromBlock];
    const standing = begun ?? (fromBlock === 0 ? 0 : this.#position); // cut before that block began
    if (standing > 0 && standing === this.#shown.length) this.#separator = "\n\n";
    this.#shown = this.#shown.slice(standing);
    this.#messageId = undefined;
    this.#restart();
  }

  add(text: string): TextVerdict {
    const again = Math.min(text.length, this.#shown.length - this.#position);
    if (!this.#shown.startsWith(text.slice(0, again), this.#position)) return "diverged";
    this.#position += text.length;
    const fresh = text.slice(again);
    if (fresh === "") return "agrees";
    this.#shown += fresh;
    this.#emit(this.#takeSeparator() + fresh);
    this.#emittedAny = true;
    return "agrees";
  }

  /**
   * The message is complete and stands. `goesOn`: the next one continues it in mid-sentence (Claude Code asks
   * for a continuation after `max_tokens`), so nothing sets them apart.
   */
  finishMessage(goesOn: boolean): TextVerdict {
    if (this.#position < this.#shown.length) return "diverged";
    if (this.#shown !== "" && !goesOn) this.#separator = "\n\n";
    this.#shown = "";
    this.#restart();
    this.#finishedId = this.#messageId;
    this.#messageId = undefined;
    return "agrees";
  }

  #restart(): void {
    this.#position = 0;
    this.#blockStarts = [];
  }

  #takeSeparator(): string {
    const separator = this.#separator;
    this.#separator = "";
    return separator;
  }
}
