import type { ServerResponse } from "node:http";
import { WholeOutput } from "../answer/whole-output.ts";
import { respondError } from "../http/respond.ts";
import { endedResponse } from "./ended-response.ts";
import type { ResponseHead } from "./response-body.ts";

/** Answers with one `response` object when the turn has ended. */
export function wholeResponse(response: ServerResponse, head: Omit<ResponseHead, "turn">): WholeOutput {
  return new WholeOutput(response, {
    body: ({ turn, blocks, end }) => endedResponse({ ...head, turn }, blocks, end),
    respondError,
    reasoning: "told",
  });
}
