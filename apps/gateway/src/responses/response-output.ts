import type { ServerResponse } from "node:http";
import { printable } from "@synthesis/kit";
import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import { respondError, respondJson } from "../http/respond.ts";
import { factHeaders } from "../openai/fact-headers.ts";
import type { AnswerOutput, TurnFacts } from "../turn/answer-output.ts";
import type { ResponseHead } from "./response-body.ts";
import { ResponseEvents } from "./response-events.ts";

export interface ResponseOptions {
  /** What the response says of its request. */
  readonly head: Omit<ResponseHead, "turn">;
  readonly ignored: readonly string[];
}

/** The answer as one `response` object, when the turn has ended; a failure is an HTTP error. */
export class ResponseOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: ResponseOptions;
  #events: ResponseEvents | undefined;

  constructor(response: ServerResponse, options: ResponseOptions) {
    this.#response = response;
    this.#options = options;
  }

  admitted(facts: TurnFacts): void {
    const { head, ignored } = this.#options;
    this.#events = new ResponseEvents({ ...head, turn: facts.turn }, () => {});
    if (this.#response.headersSent) return;
    for (const [name, value] of Object.entries(factHeaders(facts, ignored)))
      this.#response.setHeader(name, value);
  }

  sessionReset(why: string): void {
    if (!this.#response.headersSent) this.#response.setHeader("x-synthesis-session-reset", printable(why));
  }

  text(text: string): void {
    this.#events?.text(text);
  }

  reasoning(text: string): void {
    this.#events?.reasoning(text);
  }

  toolCall(call: ToolCallDelta): void {
    this.#events?.toolCall(call);
  }

  asked(ask: AgentAsk): void {
    this.#events?.asked(ask);
  }

  askSettled(settlement: AskSettlement): void {
    this.#events?.askSettled(settlement);
  }

  completed(end: Extract<TurnEnd, { state: "completed" }>): void {
    const body = this.#events?.end(end);
    const cost: Record<string, string> =
      end.costUsd === undefined ? {} : { "x-synthesis-cost-usd": String(end.costUsd) };
    if (body !== undefined) respondJson(this.#response, 200, body, cost);
  }

  failed(error: WireError): void {
    respondError(this.#response, error);
  }
}
