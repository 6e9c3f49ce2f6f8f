import { rollAnswer, ToolCallDelta, type TranscriptCall } from "@synthesis/protocol";
import type { TurnEvent } from "../journal/turn-event-table.ts";

interface Call {
  id: string;
  name: string;
  arguments: string;
}

/** What the agent has said and done in a turn so far. */
export class AnswerSoFar {
  readonly #calls = new Map<number, Call>();
  #text = "";
  #isActive = false;
  #isWhole: boolean;

  /** `events`: what an earlier generation of the worker kept of it. */
  constructor(events: readonly TurnEvent[] = []) {
    this.#isWhole = events.length === 0 || events[0]?.seq === 1;
    for (const { kind, text } of events) this.add(kind, text);
  }

  get text(): string {
    return this.#text;
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

  add(kind: TurnEvent["kind"], text: string): void {
    if (kind === "note") return;
    this.#isActive = true;
    if (kind === "text") this.#text += text;
    if (kind === "tool_call") this.#addCall(ToolCallDelta.parse(JSON.parse(text)));
  }

  /** The hash of a transcript that it follows, with it; undefined where not all of it is known. */
  hashAfter(transcript: string | undefined): string | undefined {
    if (transcript === undefined || !this.#isWhole) return undefined;
    return rollAnswer(transcript, this.#text, this.calls);
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
