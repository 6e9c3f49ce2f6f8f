import type { ServerResponse } from "node:http";
import { printable } from "@synthesis/kit";
import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import type { AnswerOutput, TurnFacts } from "./answer-output.ts";

/**
 * An answer with what its headers say, whatever the API: which turn it is, what has no effect, and, as long as no byte of
 * it is sent, why the session begins anew and what the turn cost. The rest is up to the output that it stands in front of.
 */
export class HeadedOutput implements AnswerOutput {
  readonly #output: AnswerOutput;
  readonly #response: ServerResponse;
  readonly #ignored: readonly string[];

  constructor(output: AnswerOutput, response: ServerResponse, ignored: readonly string[]) {
    this.#output = output;
    this.#response = response;
    this.#ignored = ignored;
  }

  admitted(facts: TurnFacts): void {
    this.#setHeaders(factHeaders(facts));
    if (this.#ignored.length > 0) this.#setHeaders({ "x-synthesis-ignored": this.#ignored.join(", ") });
    this.#output.admitted(facts);
  }

  sessionReset(why: string): void {
    this.#setHeaders({ "x-synthesis-session-reset": printable(why) });
    this.#output.sessionReset(why);
  }

  text(text: string, seq: number): void {
    this.#output.text(text, seq);
  }

  reasoning(text: string, seq: number): void {
    this.#output.reasoning(text, seq);
  }

  toolCall(call: ToolCallDelta, seq: number): void {
    this.#output.toolCall(call, seq);
  }

  asked(ask: AgentAsk, seq: number): void {
    this.#output.asked(ask, seq);
  }

  askSettled(settlement: AskSettlement, seq: number): void {
    this.#output.askSettled(settlement, seq);
  }

  completed(end: Extract<TurnEnd, { state: "completed" }>, seq: number): void {
    if (end.costUsd !== undefined) this.#setHeaders({ "x-synthesis-cost-usd": String(end.costUsd) });
    this.#output.completed(end, seq);
  }

  failed(error: WireError): void {
    this.#output.failed(error);
  }

  #setHeaders(headers: Readonly<Record<string, string>>): void {
    if (this.#response.headersSent) return;
    for (const [name, value] of Object.entries(headers)) this.#response.setHeader(name, value);
  }
}

function factHeaders({ turn, session, rule, position, steers, settles, isJoined }: TurnFacts) {
  return {
    "x-synthesis-session": session,
    "x-synthesis-session-rule": rule,
    "x-synthesis-turn": turn,
    "x-synthesis-queue-position": String(position),
    ...(steers === undefined ? {} : { "x-synthesis-steers": steers }),
    ...(settles === undefined ? {} : { "x-synthesis-settles": settles }),
    ...(isJoined === true ? { "x-synthesis-turn-joined": "true" } : {}),
  };
}
