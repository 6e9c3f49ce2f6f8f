import type { ServerResponse } from "node:http";
import {
  WireFailure,
  type AgentAsk,
  type AskSettlement,
  type ToolCallDelta,
  type TurnEnd,
  type WireError,
} from "@synthesis/protocol";
import { ToldAsks } from "../asks/told-asks.ts";
import { respondJson } from "../http/respond.ts";
import { AnswerBlocks, type AnswerBlock } from "./answer-blocks.ts";
import type { AnswerOutput, TurnFacts } from "./answer-output.ts";

/** An answer, when its turn has ended. */
export interface WholeAnswer {
  readonly turn: string;
  readonly blocks: readonly AnswerBlock[];
  readonly end: Extract<TurnEnd, { state: "completed" }>;
}

/** How an API tells it. */
export interface WholeOutputOptions {
  /** The one object. Throws a `WireFailure` for an answer that the API has no words for. */
  readonly body: (answer: WholeAnswer) => object;
  readonly respondError: (response: ServerResponse, error: WireError) => void;
  /** Thinking and tool activity are part of the answer. */
  readonly reasoning: "told" | "left-out";
}

/** The answer as one JSON object, when the turn has ended; a failure is an HTTP error. */
export class WholeOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: WholeOutputOptions;
  readonly #blocks = new AnswerBlocks();
  readonly #asks = new ToldAsks();
  #turn = "";

  constructor(response: ServerResponse, options: WholeOutputOptions) {
    this.#response = response;
    this.#options = options;
  }

  admitted({ turn }: TurnFacts): void {
    this.#turn = turn;
  }

  /** A header says it. */
  sessionReset(): void {}

  text(text: string): void {
    this.#blocks.addText(text);
  }

  reasoning(text: string): void {
    if (this.#options.reasoning === "told") this.#blocks.addReasoning(text);
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
    this.#blocks.close();
    try {
      const body = this.#options.body({ turn: this.#turn, blocks: this.#blocks.all, end });
      respondJson(this.#response, 200, { ...body, ...this.#asks.body });
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      this.failed(error.error);
    }
  }

  failed(error: WireError): void {
    this.#options.respondError(this.#response, error);
  }
}
