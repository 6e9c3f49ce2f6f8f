import type { ServerResponse } from "node:http";
import { printable } from "@synthesis/kit";
import {
  WireFailure,
  type AgentAsk,
  type AskSettlement,
  type ToolCallDelta,
  type TurnEnd,
  type WireError,
} from "@synthesis/protocol";
import { ToldAsks } from "../asks/told-asks.ts";
import { AnswerBlocks } from "../turn-request/answer-blocks.ts";
import { respondJson } from "../http/respond.ts";
import { factHeaders } from "../openai/fact-headers.ts";
import type { AnswerOutput, TurnFacts } from "../turn/answer-output.ts";
import { respondMessagesError } from "./error-answer.ts";
import { messageBody } from "./message-body.ts";

export interface MessageOptions {
  /** As the client named it. */
  readonly model: string;
  readonly ignored: readonly string[];
  /** Thinking and tool activity are part of the answer. */
  readonly reasoning: "told" | "left-out";
}

/** The answer as one `message` object, when the turn has ended. */
export class MessageOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: MessageOptions;
  readonly #blocks = new AnswerBlocks({ opened() {}, grew() {}, closed() {} });
  readonly #asks = new ToldAsks();
  #turn = "";

  constructor(response: ServerResponse, options: MessageOptions) {
    this.#response = response;
    this.#options = options;
  }

  admitted(facts: TurnFacts): void {
    this.#turn = facts.turn;
    if (this.#response.headersSent) return;
    for (const [name, value] of Object.entries(factHeaders(facts, this.#options.ignored)))
      this.#response.setHeader(name, value);
  }

  sessionReset(why: string): void {
    if (!this.#response.headersSent) this.#response.setHeader("x-synthesis-session-reset", printable(why));
  }

  text(text: string): void {
    this.#blocks.add("text", text);
  }

  reasoning(text: string): void {
    if (this.#options.reasoning === "told") this.#blocks.add("reasoning", text);
  }

  toolCall(call: ToolCallDelta): void {
    this.#blocks.addCall(call);
  }

  asked(ask: AgentAsk): void {
    this.#asks.asked(ask);
  }

  askSettled(settlement: AskSettlement): void {
    this.#asks.settled(settlement);
  }

  completed(end: Extract<TurnEnd, { state: "completed" }>): void {
    const { model } = this.#options;
    const cost: Record<string, string> =
      end.costUsd === undefined ? {} : { "x-synthesis-cost-usd": String(end.costUsd) };
    try {
      const body = messageBody({ turn: this.#turn, model }, this.#blocks.all, end);
      respondJson(this.#response, 200, { ...body, ...this.#asks.body }, cost);
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      this.failed(error.error);
    }
  }

  failed(error: WireError): void {
    respondMessagesError(this.#response, error);
  }
}
