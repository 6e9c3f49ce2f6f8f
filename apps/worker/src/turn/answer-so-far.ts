import { rollAnswer, type AskSettlement, type ToolCallDelta, type TranscriptCall } from "@synthesis/protocol";
import type { NumberedTurnEvent, TurnEvent } from "./turn-event.ts";

interface Call {
  id: string;
  name: string;
  arguments: string;
}

/** What the agent has said and done in a turn so far. */
export class AnswerSoFar {
  readonly #calls = new Map<number, Call>();
  /** The asks in words and the files, by where they begin in the text. */
  readonly #inserts: { readonly at: number; readonly length: number }[] = [];
  readonly #openAsks = new Set<string>();
  #text = "";
  #isActive = false;
  #isWhole: boolean;
  #isContinuation = false;
  #isTalkedInto = false;

  /** `events`: what an earlier generation of the worker kept of it. */
  constructor(events: readonly NumberedTurnEvent[] = []) {
    this.#isWhole = events.length === 0 || events[0]?.seq === 1;
    for (const event of events) this.add(event);
  }

  /** The text that its agent said: without its asks in words and its files. */
  get said(): string {
    let [said, from] = ["", 0];
    for (const { at, length } of this.#inserts) {
      said += this.#text.slice(from, at);
      from = at + length;
    }
    return said + this.#text.slice(from);
  }

  get hasText(): boolean {
    return this.#text !== "";
  }

  /** The asks that were told and have no verdict. */
  get openAsks(): readonly string[] {
    return [...this.#openAsks];
  }

  /** Whether its client said something within it: to an ask. */
  get isTalkedInto(): boolean {
    return this.#isTalkedInto;
  }

  /** Whether it is the rest of what its agent was asked in an earlier turn. */
  get isContinuation(): boolean {
    return this.#isContinuation;
  }

  /** The calls of the client's functions. */
  get calls(): readonly TranscriptCall[] {
    return [...this.#calls.entries()].sort(([a], [b]) => a - b).map(([, call]) => call);
  }

  /** Whether the agent did anything: then it may have had effects. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** Whether all that it said is known here: what is not could not be told from what comes again. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether there is no answer yet. */
  get isEmpty(): boolean {
    return this.#text === "" && this.#calls.size === 0;
  }

  add(event: TurnEvent): void {
    if (event.kind === "note") return;
    this.#isActive = true;
    switch (event.kind) {
      case "question":
      case "file":
        this.#inserts.push({ at: this.#text.length, length: event.text.length });
        this.#text += event.text;
        return;
      case "text":
        this.#text += event.text;
        return;
      case "tool_call":
        return this.#addCall(event.call);
      case "asked":
        this.#openAsks.add(event.ask.id);
        return;
      case "ask_settled":
        return this.#settle(event.settlement);
      case "reasoning":
    }
  }

  /** The hash of a transcript that it follows, with it; undefined where not all of it is known. */
  hashAfter(transcript: string | undefined): string | undefined {
    if (transcript === undefined || !this.#isWhole) return undefined;
    return rollAnswer(transcript, this.#text, this.calls);
  }

  /** One that was not asked in this turn was asked in the one that this one goes on with. */
  #settle({ ask, by }: AskSettlement): void {
    if (!this.#openAsks.delete(ask)) this.#isContinuation = true;
    else if (by === "chat") this.#isTalkedInto = true;
  }

  #addCall({ index, id, name, arguments: part }: ToolCallDelta): void {
    const call = this.#calls.get(index) ?? { id: "", name: "", arguments: "" };
    this.#calls.set(index, {
      id: id ?? call.id,
      name: name ?? call.name,
      arguments: call.arguments + part,
    });
  }
}
