import { randomUUID } from "node:crypto";
import { chooseSession, locateSession } from "../identity/choose-session.ts";
import { announcesRetries } from "../identity/request-identity.ts";
import { enterSession } from "../turn/enter-session.ts";
import { possibleVerdict } from "../asks/possible-verdict.ts";
import { settlingTurn } from "../asks/settling-turn.ts";
import { LiveTurn } from "../turn/live-turn.ts";
import type { TurnDraft } from "../turn/turn-draft.ts";
import { hostedEnd } from "../turn/turn-way.ts";
import type { IncomingTurn } from "./incoming-turn.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import { TurnOrders } from "./turn-orders.ts";

export interface BegunTurn {
  readonly live: LiveTurn;
  /** Its message is to be put into a running turn, or settles what that asks: nothing else of it is told to the agent. */
  readonly isSteering: boolean;
}

/** Begins a turn for a request: in its session's queue. Rejects with a `WireFailure`. */
export async function beginTurn(incoming: IncomingTurn, parts: GatewayParts): Promise<BegunTurn> {
  const { clues, request, connect, isHeadless, busy } = incoming;
  const { configuration, queues, turns, holds, closing, log } = parts;
  const { limits } = configuration;
  const link = await connect();
  const driverOf = (agent: string) => configuration.agents[agent]?.driver;
  const located = await locateSession(incoming, link, driverOf);
  const { workspace } = link;
  const placeOf = (session: string) => `${workspace}/${session}`;
  const session = chooseSession(incoming, located, (id) => queues.isBusy(placeOf(id)));
  const said = possibleVerdict(incoming, placeOf(session.id), parts);
  const settling = said === undefined ? said : await settlingTurn({ said, incoming, session, link }, parts);
  if (settling !== undefined) return { live: settling, isSteering: true };
  if (isHeadless) holds.check(limits.queueMs);
  const turn = randomUUID();
  const entry = { place: placeOf(session.id), turn, caller: request.caller, policy: busy };
  const { ticket, steers } = enterSession(entry, parts);
  const { id, rule } = session;
  const orders = new TurnOrders({ turn, incoming, session, bodyBytes: limits.bodyBytes, log });
  const draft: TurnDraft = {
    whenFirst: async (signal) => {
      await ticket.whenFirst(signal);
      if (isHeadless) await holds.whenFree(limits.queueMs, signal);
    },
    compose: async (worker, refusal) => orders.compose(worker, refusal),
    steering: async (worker) => orders.steering(worker),
    accepted: () => {
      ticket.accepted();
      orders.release();
    },
  };
  const endsWith = hostedEnd(incoming.turnRequest);
  const live = new LiveTurn({
    facts: {
      turn,
      session: id,
      rule,
      position: ticket.position,
      ...(steers === undefined ? {} : { steers: steers.id }),
    },
    agent: incoming.agent.name,
    createdAt: incoming.receivedAt,
    workspace,
    request,
    retriesJoin: announcesRetries(clues, request),
    way: steers === undefined ? { type: "submit", draft } : { type: "steer", draft, into: steers, endsWith },
    connect,
    limits,
    closing,
    log,
  });
  void live.over.then(() => ticket.leave());
  turns.begin(live);
  return { live, isSteering: steers !== undefined };
}
