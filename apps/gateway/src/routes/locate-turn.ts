import type { IncomingMessage } from "node:http";
import { WireFailure, type TurnInfo } from "@synthesis/protocol";
import * as z from "zod";
import type { Caller } from "../http/edge-guard.ts";
import { callerHash } from "../identity/request-identity.ts";
import type { LiveTurn } from "../turn/live-turn.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
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
    "no workspace that is at work knows a turn of this API key with this id: name its workspace with ?workspace=",
  );
}

async function knownTurn(
  caller: string,
  id: string,
  request: IncomingMessage,
  { supervisor, workers }: GatewayParts,
): Promise<KnownTurn | undefined> {
  const ask = async (workspace: string): Promise<KnownTurn | undefined> => {
    const connect = async () => workers.link(workspace);
    const info = await (await connect()).find(caller, { turn: id });
    return info && { info, workspace, connect };
  };
  const asked = new URL(request.url ?? "/", "http://gateway").searchParams.get("workspace");
  if (asked !== null) return ask(asked);
  const names = (await supervisor.status()).workers.map(({ workspace }) => workspace);
  const answers = await Promise.allSettled(names.map(ask)); // one that does not answer hides only its own
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? (answer.value ?? []) : []))[0];
}
