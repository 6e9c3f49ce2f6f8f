import { randomUUID } from "node:crypto";
import { SessionClient } from "@synthesis/kit";
import { WireFailure, type AgentAsk, type Said } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";
import { announcesRetries } from "../identity/request-identity.ts";
import type { TurnSession } from "../identity/choose-session.ts";
import { adoptTurn } from "../turn/adopt-turn.ts";
import type { TurnHost } from "../turn/hosted-turn.ts";
import { LiveTurn } from "../turn/live-turn.ts";
import { hostedEnd } from "../turn/turn-way.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { VerdictRequest } from "./verdict-request.ts";

/** A message that may be a verdict. */
export interface PossibleVerdict {
  /** See `possibleVerdict`. */
  readonly said: Said;
  readonly incoming: VerdictRequest;
  readonly session: TurnSession;
  /** To the worker of its session. */
  readonly link: WorkerLink;
}

/**
 * Of a message that is a verdict on what its session's running turn asks (`asks.mode: hold`): settles that, and goes on
 * in that turn. Undefined: it is none. Rejects where it came too late, and then it is not said to the agent either.
 */
export async function settlingTurn(
  { said, incoming, session, link }: PossibleVerdict,
  parts: GatewayParts,
): Promise<LiveTurn | undefined> {
  const client = new SessionClient({ socketPath: link.socketPath, caller: incoming.request.caller });
  const ask = (await client.listAsks().catch(nobodyThere)).find(isToldIn(session));
  const host = ask && (await hostOf(ask.turn, incoming, link, parts));
  if (ask === undefined || host === undefined) return undefined;
  if ((await client.hearAsk(ask.id, said)) === undefined) return undefined;
  const live = new LiveTurn({
    facts: { turn: randomUUID(), session: session.id, rule: session.rule, position: 0, settles: ask.id },
    agent: incoming.agent.name,
    createdAt: incoming.receivedAt,
    workspace: link.workspace,
    request: incoming.request,
    retriesJoin: announcesRetries(incoming.clues, incoming.request),
    way: { type: "settle", host: host(), endsWith: hostedEnd(incoming.turnRequest) },
    connect: incoming.connect,
    limits: parts.configuration.limits,
    closing: parts.closing,
    log: parts.log,
  });
  // Begun as a turn of its session, it would end a turn that all have left.
  parts.turns.adopt(live, { keyMs: parts.configuration.limits.joinMs });
  return live;
}

/** One is told at a time. */
function isToldIn({ id }: TurnSession): (ask: AgentAsk) => boolean {
  return ({ session, toldAt }) => session === id && toldAt !== undefined;
}

/** What a worker's agents ask is gone with it. */
function nobodyThere(error: unknown): readonly AgentAsk[] {
  if (error instanceof WireFailure && error.error.code === "worker_unavailable") return [];
  throw error;
}

/** The running turn, from the last event that is known of it; undefined: it does not run any more. */
async function hostOf(
  turn: string,
  { request: { caller }, connect }: VerdictRequest,
  link: WorkerLink,
  parts: GatewayParts,
): Promise<(() => TurnHost) | undefined> {
  const live = parts.turns.find(caller, { turn });
  if (live !== undefined) {
    const after = live.latestSeq;
    return () => ({ turn: live, after });
  }
  const info = await link.find(caller, { turn });
  if (info === undefined || info.end !== undefined) return undefined;
  const { workspace } = link;
  return () => ({ turn: adoptTurn(caller, info, { workspace, connect }, parts), after: info.seq });
}
