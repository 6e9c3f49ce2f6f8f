import type { ServerResponse } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import type { AnswerOutput } from "../answer/answer-output.ts";
import { respondJson } from "../http/respond.ts";
import { responseBody, type ResponseHead } from "../responses/response-body.ts";
import { wholeResponse } from "../responses/whole-response.ts";
import { ResponseStreamOutput } from "../responses/response-stream-output.ts";
import { locateResponse } from "./locate-response.ts";
import { turnToFollow, type LocatedTurn } from "./locate-turn.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Route } from "./route-context.ts";
import { serveTurn } from "./serve-turn.ts";

/**
 * `GET /v1/responses/:id`: a response as far as it is; with `?stream=true` its events, from the first or after the one
 * that `starting_after` numbers, to its end. Who reads it may leave without an effect on it.
 */
export const getResponse: Route = async (exchange, caller, parts) => {
  const { request, response } = exchange;
  const query = new URL(request.url ?? "/", "http://gateway").searchParams;
  const startingAfter = eventNumber(query.get("starting_after"));
  const located = await locateResponse(exchange, caller, parts);
  if (query.get("stream") !== "true") return answerResponse(located, response, parts);
  const { heartbeatMs, clientBufferBytes: maxBufferedBytes } = parts.configuration.limits;
  const options = { head: headOf(located), heartbeatMs, maxBufferedBytes };
  const output = new ResponseStreamOutput(response, {
    ...options,
    ...(startingAfter === undefined ? {} : { startingAfter }),
  });
  watch(located, output, response, parts);
};

/** Answers with a response as it is now: its output when it is complete. */
export function answerResponse(located: LocatedTurn, response: ServerResponse, parts: GatewayParts): void {
  const { id: turn, known, live } = located;
  const head = headOf(located);
  const end = known?.info.end;
  if (end?.state === "completed") return watch(located, wholeResponse(response, head), response, parts);
  const isRunning = known === undefined ? live.state !== "waiting" : known.info.state === "started";
  const status = isRunning ? "in_progress" : "queued";
  const state = end === undefined ? ({ status } as const) : ({ status: "ended", end } as const);
  respondJson(response, 200, responseBody({ ...head, turn }, state));
}

function watch(
  located: LocatedTurn,
  output: AnswerOutput,
  response: ServerResponse,
  parts: GatewayParts,
): void {
  const how = { turns: parts.turns, onVanish: "watch", isJoined: true } as const;
  serveTurn(turnToFollow(located, parts), output, response, how);
}

/** What a response says of its request, as far as its turn tells. */
export function headOf({ known, live }: LocatedTurn): Omit<ResponseHead, "turn"> {
  const { agent: model, createdAt } =
    known === undefined ? live : { agent: known.info.agent, createdAt: known.info.acceptedAt };
  return { model, createdAt, echo: {} };
}

function eventNumber(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new WireFailure("invalid_request", "starting_after: must be the sequence_number of an event");
}
