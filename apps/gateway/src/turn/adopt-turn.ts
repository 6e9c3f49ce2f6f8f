import { WireFailure, type FindTurn, type RequestIdentity, type TurnInfo } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { LiveTurn, type LiveTurnOptions } from "./live-turn.ts";

/**
 * The turn that a request repeats: one that this gateway has, or one that its worker knows, of this gateway or
 * of one before it. Rejects with `idempotency_conflict` where the key was used for another request, and where the
 * worker cannot be asked.
 */
export async function findTurn(
  { caller, body }: RequestIdentity,
  by: FindTurn["by"],
  connect: (drained?: WorkerLink) => Promise<WorkerLink>,
  parts: GatewayParts,
): Promise<LiveTurn | undefined> {
  const live = parts.turns.find(caller, by);
  const link = live === undefined ? await connect() : undefined;
  const info = await link?.find(caller, by);
  const known = live?.request.body ?? info?.body;
  if ("key" in by && known !== undefined && known !== body) {
    throw new WireFailure(
      "idempotency_conflict",
      "this Idempotency-Key was used for a request with another body: send that body again to get its answer, or a new key with this one",
    );
  }
  if (info === undefined || link === undefined) return live;
  return adoptTurn(caller, info, { workspace: link.workspace, connect }, parts);
}

/** Follows a turn that a worker knows and this gateway did not submit, or that is over. */
export function adoptTurn(
  caller: string,
  { turn, session, agent, body, prompt, state, acceptedAt }: TurnInfo,
  { workspace, connect }: Pick<LiveTurnOptions, "workspace" | "connect">,
  { turns, configuration, closing, log }: GatewayParts,
): LiveTurn {
  const known = turns.find(caller, { turn });
  if (known !== undefined) return known;
  const live = new LiveTurn({
    facts: { turn, session, rule: "joined", position: 0 },
    agent,
    createdAt: acceptedAt,
    request: { caller, body, prompt },
    retriesJoin: true,
    way: { type: "follow" },
    workspace,
    connect,
    limits: configuration.limits,
    closing,
    log,
  });
  turns.adopt(live);
  log.info("turn.adopted", { turn, session, state });
  return live;
}
