import type { IncomingHttpHeaders } from "node:http";
import { WireFailure } from "@synthesis/protocol";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import { checkTurnRequest } from "../turn-request/check-turn-request.ts";
import type { Caller } from "../http/edge-guard.ts";
import { repetitionOf } from "../identity/request-identity.ts";
import { header } from "../identity/session-identity.ts";
import { systemFingerprint } from "../answer/system-fingerprint.ts";
import { findTurn } from "../turn/adopt-turn.ts";
import type { AnswerOutput } from "../answer/answer-output.ts";
import type { LiveTurn } from "../turn/live-turn.ts";
import type { VanishPolicy } from "../turn/turn-readers.ts";
import { readIncoming } from "./incoming-turn.ts";
import { beginTurn } from "./begin-turn.ts";
import { unsteered } from "./busy-policy.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Exchange } from "./route-context.ts";
import { serveTurn } from "./serve-turn.ts";

/** What an answer says of its request. */
export interface AnswerAbout {
  /** As the client named it, else the agent. */
  readonly model: string;
  readonly agent: string;
  /** The same as long as the agent and its model are. */
  readonly fingerprint: string;
}

export interface ServeTurnRequestOptions {
  /** The body as it came: by it a repetition of the request is known. */
  readonly body: Uint8Array;
  /** Where the answer goes. */
  readonly makeOutput: (about: AnswerAbout) => AnswerOutput;
  /** What becomes of the turn when its client leaves, whatever the headers say. */
  readonly onVanish?: VanishPolicy;
}

/**
 * Serves what a client asks, in whatever API's words: one turn of a conversation; of a request that comes again, the
 * same turn. Rejects with a `WireFailure` as long as the output has not been told anything.
 */
export async function serveTurnRequest(
  asked: TurnRequest,
  { body, makeOutput, onVanish }: ServeTurnRequestOptions,
  exchange: Exchange,
  caller: Caller,
  parts: GatewayParts,
): Promise<void> {
  const { configuration, turns } = parts;
  const { headers } = exchange.request;
  const vanish = onVanish ?? vanishPolicy(headers);
  checkTurnRequest(asked, configuration.limits);
  const incoming = readIncoming(asked, body, headers, caller, parts);
  const { turnRequest, agent } = incoming;
  const about = {
    model: turnRequest.model ?? agent.name,
    agent: agent.name,
    fingerprint: systemFingerprint(agent, configuration.agents[agent.name]),
  };
  const serve = (turn: LiveTurn, ignored: readonly string[], isJoined: boolean) => {
    serveTurn(turn, makeOutput(about), exchange.response, { turns, onVanish: vanish, isJoined, ignored });
  };
  const begin = async () => {
    const { live, isSteering } = await beginTurn(incoming, parts);
    serve(live, [...turnRequest.ignored, ...(isSteering ? unsteered(turnRequest) : [])], false);
  };
  const repeats = repetitionOf(incoming, incoming.request);
  if (repeats === undefined) return begin();
  await turns.oneByOne(JSON.stringify([incoming.request.caller, repeats]), async () => {
    const known = await findTurn(incoming.request, repeats, incoming.connect, parts);
    if (known === undefined) await begin();
    else serve(known, turnRequest.ignored, true);
  });
}

function vanishPolicy(headers: IncomingHttpHeaders): VanishPolicy {
  const policy =
    header(headers, "x-synthesis-on-disconnect") ??
    (header(headers, "idempotency-key") === undefined ? "cancel" : "continue");
  if (policy === "cancel" || policy === "continue") return policy;
  throw new WireFailure("invalid_request", "x-synthesis-on-disconnect: must be cancel or continue");
}
