import type { ServerResponse } from "node:http";
import { printable } from "@synthesis/kit";
import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import { ToldAsks } from "../asks/told-asks.ts";
import { respondError, respondJson } from "../http/respond.ts";
import type { AnswerOutput, TurnFacts } from "../turn/answer-output.ts";
import { factHeaders } from "./fact-headers.ts";
import { MadeCalls } from "./made-calls.ts";
import { usageBody } from "./usage.ts";

export interface CompletionOptions {
  /** As the client named it. */
  readonly model: string;
  readonly ignored: readonly string[];
  /** Of the configuration that answers, where it is known. */
  readonly fingerprint?: string;
}

/** The answer as one `chat.completion` object, when the turn has ended. */
export class CompletionOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: CompletionOptions;
  #facts: TurnFacts | undefined;
  #text = "";
  #reasoning = "";
  readonly #calls = new MadeCalls();
  readonly #asks = new ToldAsks();

  constructor(response: ServerResponse, options: CompletionOptions) {
    this.#response = response;
    this.#options = options;
  }

  admitted(facts: TurnFacts): void {
    this.#facts = facts;
    for (const [name, value] of Object.entries(factHeaders(facts, this.#options.ignored))) {
      if (!this.#response.headersSent) this.#response.setHeader(name, value);
    }
  }

  sessionReset(why: string): void {
    if (!this.#response.headersSent) this.#response.setHeader("x-synthesis-session-reset", printable(why));
  }

  text(text: string): void {
    this.#text += text;
  }

  reasoning(text: string): void {
    this.#reasoning += text;
  }

  toolCall(call: ToolCallDelta): void {
    this.#calls.add(call);
  }

  asked(ask: AgentAsk): void {
    this.#asks.asked(ask);
  }

  askSettled(settlement: AskSettlement): void {
    this.#asks.settled(settlement);
  }

  completed({ finishReason, usage, costUsd }: Extract<TurnEnd, { state: "completed" }>): void {
    const { all: calls } = this.#calls;
    const message = {
      role: "assistant",
      content: this.#text === "" && calls !== undefined ? null : this.#text,
      refusal: null,
      ...(calls === undefined ? {} : { tool_calls: calls }),
      ...(this.#reasoning === "" ? {} : { reasoning_content: this.#reasoning }),
    };
    const { model, fingerprint } = this.#options;
    const body = {
      id: `chatcmpl-${this.#facts?.turn}`,
      object: "chat.completion",
      created: Math.floor(Date.now() / 1000),
      model,
      system_fingerprint: fingerprint,
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
      ...(usage ? { usage: usageBody(usage, costUsd) } : {}),
      ...this.#asks.body,
    };
    const cost: Record<string, string> =
      costUsd === undefined ? {} : { "x-synthesis-cost-usd": String(costUsd) };
    respondJson(this.#response, 200, body, cost);
  }

  failed(error: WireError): void {
    respondError(this.#response, error);
  }
}
