import { sleep } from "@synthesis/kit";
import { promptOf } from "../conversation/order.ts";
import type { Workspace } from "../instance/configuration.ts";
import { GATEWAY_ENDS, type Attempt, type ClientTurn, type TurnPlan } from "./client-turn.ts";
import { exchange, type Door, type Exchange, type ExchangeOrder } from "./exchange.ts";

/** Whose turn it is, and how long its client has patience. */
export interface Driver {
  readonly door: Door;
  readonly workspace: Workspace;
  /** The conversation's name, given as `x-openclaw-session-key`. */
  readonly session: string;
  /** From the first request to the client's giving up, in ms. */
  readonly patienceMs: number;
}

/** Longer than any pause of a stream, which has heartbeats. */
const STREAM_SILENCE_MS = 5_000;
/** Longer than the longest answer with the turns before it. */
const WHOLE_SILENCE_MS = 20_000;
const RETRY_PAUSE_MS = 150;
const MAX_RETRY_PAUSE_MS = 2_000;

/** One turn to whatever end its plan has for it: posted, and posted again or read on till it has an end. */
export async function driveTurn(driver: Driver, plan: TurnPlan): Promise<ClientTurn> {
  const at = Date.now();
  const attempts: Attempt[] = [];
  const finish = (end: ClientTurn["end"]): ClientTurn => {
    const { session, workspace } = driver;
    return { ...plan, session, workspace: workspace.name, at, endedAt: Date.now(), attempts, end };
  };
  let last: Exchange | undefined;
  while (Date.now() - at < driver.patienceMs) {
    const isFirst = attempts.length === 0;
    last = await request(driver, plan, last, attempts.length, isFirst);
    attempts.push(last.attempt);
    const { outcome } = last.attempt;
    if (outcome.kind === "completed" || outcome.kind === "truncated") return finish("answered");
    if (outcome.kind === "error" && !isRepeated(outcome, last.attempt, plan)) return finish("answered");
    if (outcome.kind === "left" && plan.manner === "leaves") return finish("left");
    const pauseMs = last.retryAfterMs ?? RETRY_PAUSE_MS * attempts.length;
    if (outcome.kind !== "left") await sleep(Math.min(pauseMs, MAX_RETRY_PAUSE_MS));
  }
  return finish("unanswered");
}

/**
 * Whether an error leads to another request: one that says so, an event stream that cannot be read on, or the end
 * of a gateway, which is none of the turn: its answer can be had with its `Idempotency-Key`.
 */
function isRepeated(
  { isRetryable, code }: { readonly isRetryable: boolean; readonly code: string },
  { via }: Attempt,
  { keyed }: TurnPlan,
): boolean {
  if (isRetryable || (keyed && code === GATEWAY_ENDS)) return true;
  return via === "events" && ["turn_not_found", "turn_gone"].includes(code);
}

async function request(
  driver: Driver,
  plan: TurnPlan,
  last: Exchange | undefined,
  repetition: number,
  isFirst: boolean,
): Promise<Exchange> {
  const gone = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const depart = (turn: string | undefined) => {
    if (!isFirst || plan.manner === "stays") return;
    timer ??= setTimeout(() => {
      if (plan.manner === "cancels") void cancel(driver.door, turn);
      else gone.abort();
    }, plan.afterMs);
  };
  // The headers of a whole answer come with its end.
  if (!plan.streamed) depart(undefined);
  const order = readsOn(plan, last) ? eventsOrder(last) : postOrder(driver, plan, repetition);
  const made = await exchange(driver.door, { ...order, leave: gone.signal, onHeaders: depart });
  clearTimeout(timer);
  return made;
}

/** Whether the rest of the answer can be had from the turn's events: the connection was lost within the stream. */
function readsOn({ keyed, resumesBy }: TurnPlan, last: Exchange | undefined): last is ReadOn {
  if (!keyed || resumesBy !== "events" || last?.lastEventId === undefined) return false;
  const { kind } = last.attempt.outcome;
  return kind === "cut" || kind === "left";
}
type ReadOn = Exchange & { readonly lastEventId: string };

function eventsOrder({ lastEventId, attempt }: ReadOn): Omit<ExchangeOrder, "leave"> {
  return {
    via: "events",
    method: "GET",
    path: `/v1/synthesis/turns/${attempt.turn ?? lastEventId.split(":")[0]}/events`,
    headers: { "last-event-id": lastEventId },
    known: attempt.text,
    silenceMs: STREAM_SILENCE_MS,
  };
}

function postOrder(driver: Driver, plan: TurnPlan, repetition: number): Omit<ExchangeOrder, "leave"> {
  const { order, streamed, keyed } = plan;
  return {
    via: "post",
    method: "POST",
    path: "/v1/chat/completions",
    headers: {
      "content-type": "application/json",
      "x-openclaw-session-key": driver.session,
      // As the openai SDK counts; by it a request without a key is known to be a repetition.
      "x-stainless-retry-count": String(repetition),
      ...(keyed ? { "idempotency-key": `key-${order.canary}` } : {}),
    },
    body: JSON.stringify({
      model: driver.workspace.agent,
      stream: streamed,
      messages: [{ role: "user", content: promptOf(order) }],
    }),
    known: "",
    silenceMs: streamed ? STREAM_SILENCE_MS : WHOLE_SILENCE_MS,
  };
}

/** Whatever becomes of this request, the turn's own answer tells how it ended. */
async function cancel(door: Door, turn: string | undefined): Promise<void> {
  if (turn === undefined) return;
  await fetch(`http://${door.host}/v1/synthesis/turns/${turn}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${door.key}`, connection: "close" },
    signal: AbortSignal.timeout(STREAM_SILENCE_MS),
  }).catch(() => undefined);
}
