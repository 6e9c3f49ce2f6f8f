import type { ServerResponse } from "node:http";
import type { WireError } from "@synthesis/protocol";
import { respondError, respondJson } from "../http/respond.ts";
import type { AnswerOutput, TurnFacts } from "../answer/answer-output.ts";
import { responseBody, type ResponseHead } from "./response-body.ts";

/** Answers as soon as the turn stands in its session's queue; what becomes of it is retrieved later. */
export class BackgroundOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #head: Omit<ResponseHead, "turn">;

  constructor(response: ServerResponse, head: Omit<ResponseHead, "turn">) {
    this.#response = response;
    this.#head = head;
  }

  admitted({ turn, position }: TurnFacts): void {
    const status = position === 0 ? "in_progress" : "queued";
    respondJson(this.#response, 200, responseBody({ ...this.#head, turn }, { status }));
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
