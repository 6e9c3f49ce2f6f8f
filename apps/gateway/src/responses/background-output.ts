import type { ServerResponse } from "node:http";
import type { WireError } from "@synthesis/protocol";
import { respondError, respondJson } from "../http/respond.ts";
import { factHeaders } from "../openai/fact-headers.ts";
import type { AnswerOutput, TurnFacts } from "../turn/answer-output.ts";
import { responseBody } from "./response-body.ts";
import type { ResponseOptions } from "./response-output.ts";

/** Answers as soon as the turn stands in its session's queue; what becomes of it is retrieved later. */
export class BackgroundOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: ResponseOptions;

  constructor(response: ServerResponse, options: ResponseOptions) {
    this.#response = response;
    this.#options = options;
  }

  admitted(facts: TurnFacts): void {
    const { head, ignored } = this.#options;
    const status = facts.position === 0 ? "in_progress" : "queued";
    const body = responseBody({ ...head, turn: facts.turn }, { status });
    respondJson(this.#response, 200, body, factHeaders(facts, ignored));
  }

  sessionReset(): void {}

  text(): void {}

  reasoning(): void {}

  toolCall(): void {}

  asked(): void {}

  askSettled(): void {}

  completed(): void {}

  /** Once it is answered, an error changes nothing any more. */
  failed(error: WireError): void {
    respondError(this.#response, error);
  }
}
