import { randomUUID } from "node:crypto";
import type { AgentAsk, AskSettlement, TurnEnd, WireError } from "@synthesis/protocol";
import type { NumberedTurnEvent } from "../../src/turn/turn-event.ts";
import type { TurnSink } from "../../src/turn/turn-sink.ts";

export type TurnOutcome =
  | TurnEnd
  | { readonly state: "refused"; readonly error: WireError }
  | { readonly state: "gone"; readonly end: TurnEnd | undefined };

/** A sink that keeps what a turn says, in order, and lets a test wait for it. */
export class RecordedTurn implements TurnSink {
  readonly id: string;
  /** `accepted`, then each part of the text, then the state it ended in, or `refused` or `gone`. */
  readonly events: string[] = [];
  /** The sequence numbers in the order they came, that of the end included. */
  readonly numbers: number[] = [];
  /** How it ended, or that it was refused, or cannot be followed. */
  readonly outcome: Promise<TurnOutcome>;
  reasoningText = "";
  /** The pieces of its calls of the client's functions. */
  readonly calls: unknown[] = [];
  readonly asks: AgentAsk[] = [];
  readonly settled: AskSettlement[] = [];
  /** Why its session was begun anew for it. */
  reset: string | undefined;
  readonly #settle: (outcome: TurnOutcome) => void;
  #changed = Promise.withResolvers<void>();

  /** Of a new turn, or of one that is followed. */
  constructor(id: string = randomUUID()) {
    this.id = id;
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
      outcome = await this.#next();
    }
  }

  /** The `count`-th ask of its agent, once it is there; rejects when the turn ends without it. */
  async untilAsked(count = 1): Promise<AgentAsk> {
    let outcome: TurnOutcome | undefined;
    for (;;) {
      const ask = this.asks[count - 1];
      if (ask !== undefined) return ask;
      if (outcome) throw new Error(`ended without an ask: ${JSON.stringify(outcome)} ${this.answer}`);
      outcome = await this.#next();
    }
  }

  /** Resolves once the turn is accepted; rejects when it is refused. */
  async untilAccepted(): Promise<void> {
    while (!this.events.includes("accepted")) {
      const outcome = await this.#next();
      if (outcome?.state === "refused") throw new Error(`refused: ${outcome.error.message}`);
    }
  }

  accepted(_turn: string, reset?: string): void {
    this.reset = reset;
    this.#add("accepted");
  }

  refused(_turn: string, error: WireError): void {
    this.#add("refused");
    this.#settle({ state: "refused", error });
  }

  event(_turn: string, event: NumberedTurnEvent): void {
    this.numbers.push(event.seq);
    switch (event.kind) {
      case "text":
      case "question":
      case "file":
        return this.#add(`text:${event.text}`);
      case "asked":
        this.asks.push(event.ask);
        break;
      case "ask_settled":
        this.settled.push(event.settlement);
        break;
      case "tool_call":
        this.calls.push(event.call);
        break;
      case "reasoning":
      case "note":
        this.reasoningText += event.text;
    }
    this.#announce();
  }

  ended(_turn: string, seq: number, end: TurnEnd): void {
    this.numbers.push(seq);
    this.#add(end.state);
    this.#settle(end);
  }

  gone(_turn: string, end?: TurnEnd): void {
    this.#add("gone");
    this.#settle({ state: "gone", end });
  }

  /** Resolves with the next event, to the outcome once there is one. */
  #next(): Promise<TurnOutcome | undefined> {
    return Promise.race([this.outcome, this.#changed.promise.then(() => undefined)]);
  }

  #add(event: string): void {
    this.events.push(event);
    this.#announce();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
