import type { TurnEvents } from "../agent-process.ts";

/**
 * The text of a turn that goes on after its process was cut. What its client has seen of it is not said again
 * where the text begins with exactly that; otherwise the whole of it follows, set apart.
 */
export class ResumedAnswer {
  readonly #shown: string;
  readonly #standing: string;
  readonly #events: Pick<TurnEvents, "onText" | "onNote">;
  /** comparing: all so far was shown before. joined: what comes is new. */
  #state: "comparing" | "joined";
  /** How much of what was shown has come again. */
  #position = 0;

  /** `standing`: the part of the answer that the agent keeps, and with which this text begins. */
  constructor(
    { shown, standing }: { readonly shown: string; readonly standing: string },
    events: Pick<TurnEvents, "onText" | "onNote">,
  ) {
    this.#shown = shown;
    this.#standing = standing;
    this.#events = events;
    this.#state = shown === "" ? "joined" : "comparing";
  }

  add(text: string): void {
    if (this.#state === "joined") return this.#events.onText(text);
    const again = text.slice(0, this.#shown.length - this.#position);
    if (!this.#shown.startsWith(again, this.#position)) return this.#setApart(text);
    this.#position += again.length;
    if (this.#position < this.#shown.length) return;
    this.#state = "joined";
    if (text.length > again.length) this.#events.onText(text.slice(again.length));
  }

  /** The text is complete. */
  end(): void {
    if (this.#state === "comparing" && this.#position > 0) this.#setApart("");
  }

  #setApart(text: string): void {
    this.#state = "joined";
    const whole = this.#shown.slice(0, this.#position) + text;
    // What stands and was shown in full is not said twice.
    const isSeen = this.#shown.startsWith(this.#standing) && this.#position >= this.#standing.length;
    const fresh = isSeen ? whole.slice(this.#standing.length).trimStart() : whole;
    if (fresh === "") return;
    this.#events.onNote("[resumed after an interruption]\n");
    this.#events.onText(`\n\n${fresh}`);
  }
}
