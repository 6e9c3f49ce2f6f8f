import { WireFailure, type TurnInfo } from "@synthesis/protocol";
import * as z from "zod";
import type { GatewayParts } from "../gateway-parts.ts";
import type { Caller } from "../http/edge-guard.ts";
import { callerHash } from "../identity/request-identity.ts";
import { adoptTurn } from "../turn/adopt-turn.ts";
import type { LiveTurn } from "../turn/live-turn.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { notFound, queriedWorkers } from "./queried-workers.ts";
import type { Exchange } from "./route-context.ts";

const TurnId = z.uuid();

/** A turn of the caller's API key: one that this gateway has, or one that a worker knows, or both. */
export type LocatedTurn = { readonly id: string; readonly caller: string } & (
  | { readonly live: LiveTurn | undefined; readonly known: KnownTurn }
  | { readonly live: LiveTurn; readonly known: undefined }
);

interface KnownTurn {
  readonly info: TurnInfo;
  readonly workspace: string;
  readonly connect: () => Promise<WorkerLink>;
}

/**
 * Finds the turn that a path names, in the workspace that `?workspace=` names, or else in every one that has a
 * worker now. Rejects with `turn_not_found`, and with why it may have been overlooked.
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
  const workers = queriedWorkers(request, parts, async (asked) => ({
    asked,
    link: await parts.workers.link(asked),
  }));
  const found = await workers.findFirst(
    "turn_not_found",
    async ({ asked, link }): Promise<KnownTurn | undefined> => {
      const info = await link.find(caller, { turn: id });
      return info && { info, workspace: link.workspace, connect: async () => parts.workers.link(asked) };
    },
  );
  const [known] = found.answers;
  const live = parts.turns.find(caller, { turn: id });
  if (known !== undefined) return { id, caller, live, known };
  if (live !== undefined) return { id, caller, live, known };
  throw notFound("turn", found);
}

/** The turn, for whoever wants to read or end it. */
export function turnToFollow({ caller, live, known }: LocatedTurn, parts: GatewayParts): LiveTurn {
  return known === undefined ? live : (live ?? adoptTurn(caller, known.info, known, parts));
}
