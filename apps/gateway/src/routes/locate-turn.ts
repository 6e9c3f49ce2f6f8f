import type { IncomingMessage } from "node:http";
import { WireFailure, type TurnInfo } from "@synthesis/protocol";
import * as z from "zod";
import type { Caller } from "../http/edge-guard.ts";
import { callerHash } from "../identity/request-identity.ts";
import type { LiveTurn } from "../turn/live-turn.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { askWorkers } from "./ask-workers.ts";
import type { Exchange, GatewayParts } from "./route-context.ts";

const TurnId = z.uuid();

/** A turn of the caller's API key: one that this gateway has, or one that a worker knows, or both. */
export interface LocatedTurn {
  readonly id: string;
  readonly caller: string;
  readonly live: LiveTurn | undefined;
  readonly known: KnownTurn | undefined;
}

interface KnownTurn {
  readonly info: TurnInfo;
  readonly workspace: string;
  readonly connect: () => Promise<WorkerLink>;
}

/**
 * Finds the turn that a path names, in the workspace that `?workspace=` names, or else in every one that has a
 * worker now. Rejects with `turn_not_found`.
 */
export async function locateTurn(
  { request, params }: Exchange,
  { name }: Caller,
  parts: GatewayParts,
): Promise<LocatedTurn> {
  const id = TurnId.safeParse(params["id"]).data;
  if (id === undefined)
    throw new WireFailure("invalid_request", "a turn's id is a UUID: the header x-synthesis-turn names it");
  const caller = callerHash(name);
  const known = await knownTurn(caller, id, request, parts);
  const live = parts.turns.find(caller, { turn: id });
  if (known !== undefined || live !== undefined) return { id, caller, live, known };
  throw new WireFailure(
    "turn_not_found",
    "no workspace that was asked knows a turn of this API key with this id: ?workspace= asks one that is not at work",
  );
}

async function knownTurn(
  caller: string,
  id: string,
  request: IncomingMessage,
  parts: GatewayParts,
): Promise<KnownTurn | undefined> {
  const { answers } = await askWorkers(request, parts, async (asked): Promise<KnownTurn | undefined> => {
    const connect = async () => parts.workers.link(asked);
    const link = await connect();
    const info = await link.find(caller, { turn: id });
    return info && { info, workspace: link.workspace, connect };
  });
  return answers.find((answer) => answer !== undefined);
}
