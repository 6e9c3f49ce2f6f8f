import type { TurnEvent } from "../worker/turn-listener.ts";

/** The asks of a turn that have no verdict, as far as its events tell. */
export class AskTally {
  readonly #open = new Set<string>();
  #seq = 0;
  /** Whether every event was heard up to the latest. */
  #isWhole: boolean;

  /** joined: others were told what it said before. */
  constructor(heard: "from-start" | "joined") {
    this.#isWhole = heard === "from-start";
  }

  get mayBeAsking(): boolean {
    return this.#open.size > 0 || !this.#isWhole;
  }

  /** An event, perhaps not for the first time. */
  hear(event: TurnEvent): void {
    const { seq } = event;
    if (seq <= this.#seq) return;
    this.#isWhole = seq === 1 || (this.#isWhole && seq === this.#seq + 1);
    this.#seq = seq;
    if (event.type === "asked") this.#open.add(event.ask.id);
    if (event.type === "ask_settled") this.#open.delete(event.ask);
  }
}
