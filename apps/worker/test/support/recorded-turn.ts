import { randomUUID } from "node:crypto";
import type { TurnEnd, WireError } from "@synthesis/protocol";
import type { TurnSink } from "../../src/turn/turn-sink.ts";

export type TurnOutcome = TurnEnd | { readonly state: "refused"; readonly error: WireError };

/** A sink that keeps what a turn says, in order, and lets a test wait for it. */
export class RecordedTurn implements TurnSink {
  readonly id = randomUUID();
  /** `accepted`, then each part of the text, then the state it ended in. */
  readonly events: string[] = [];
  /** How it ended, or that it was refused. */
  readonly outcome: Promise<TurnOutcome>;
  reasoningText = "";
  readonly #settle: (outcome: TurnOutcome) => void;
  #changed = Promise.withResolvers<void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<TurnOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
  }

  get parts(): string[] {
    return this.events.filter((event) => event.startsWith("text:")).map((event) => event.slice(5));
  }

  get answer(): string {
    return this.parts.join("");
  }

  /** Resolves once the answer so far contains `text`; rejects when the turn ends without it. */
  async untilText(text: string): Promise<void> {
    let outcome: TurnOutcome | undefined;
    while (!this.answer.includes(text)) {
      if (outcome) throw new Error(`ended without "${text}": ${JSON.stringify(outcome)} ${this.answer}`);
      outcome = await Promise.race([this.outcome, this.#changed.promise.then(() => undefined)]);
    }
  }

  /** Resolves once the turn is accepted; rejects when it is refused. */
  async untilAccepted(): Promise<void> {
    while (!this.events.includes("accepted")) {
      const outcome = await Promise.race([this.outcome, this.#changed.promise.then(() => undefined)]);
      if (outcome?.state === "refused") throw new Error(`refused: ${outcome.error.message}`);
    }
  }

  accepted(): void {
    this.#add("accepted");
  }

  refused(error: WireError): void {
    this.#add("refused");
    this.#settle({ state: "refused", error });
  }

  text(text: string): void {
    this.#add(`text:${text}`);
  }

  reasoning(text: string): void {
    this.reasoningText += text;
  }

  ended(end: TurnEnd): void {
    this.#add(end.state);
    this.#settle(end);
  }

  #add(event: string): void {
    this.events.push(event);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
