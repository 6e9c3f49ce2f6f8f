import { sleep } from "@synthesis/kit";
import { WireFailure, type WireError } from "@synthesis/protocol";
import { respondJson } from "../http/respond.ts";
import { responseBody } from "../responses/response-body.ts";
import { answerResponse, headOf } from "./get-response.ts";
import { locateResponse } from "./locate-response.ts";
import { turnToFollow } from "./locate-turn.ts";
import type { Route } from "./route-context.ts";

/** How long a turn may take to end before it is answered as one that still runs, in ms. */
const END_MS = 5_000;
const CANCELLED: WireError = { code: "turn_cancelled", message: "the turn was cancelled while it waited" };

/** `POST /v1/responses/:id/cancel`: cancels a response, whether in the background or not. Answered as it is then. */
export const postResponseCancel: Route = async (exchange, caller, parts) => {
  const { response } = exchange;
  const before = await locateResponse(exchange, caller, parts);
  if (before.known?.info.end !== undefined) return answerResponse(before, response, parts);
  const turn = turnToFollow(before, parts);
  turn.cancel("asked to by its client");
  const ended = new AbortController();
  await Promise.race([turn.over, sleep(END_MS, ended.signal)]);
  ended.abort();
  const after = await locateResponse(exchange, caller, parts).catch(ignoreUnknown);
  if (after !== undefined) return answerResponse(after, response, parts);
  const end = { state: "cancelled", error: CANCELLED } as const; // no worker ever had it
  respondJson(response, 200, responseBody({ ...headOf(before), turn: before.id }, { status: "ended", end }));
};

function ignoreUnknown(error: unknown): undefined {
  if (!(error instanceof WireFailure && error.error.code === "turn_not_found")) throw error;
}
