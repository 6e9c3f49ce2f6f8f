import { randomUUID } from "node:crypto";
import { abortable, type Logger } from "@synthesis/kit";
import { WireFailure, type Submit, type TurnEnd, type WireError } from "@synthesis/protocol";
import { internalError } from "../http/internal-error.ts";
import { seededPrompt, type Conversation } from "../identity/conversation.ts";
import type { ChosenAgent } from "../identity/choose-agent.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { AnswerOutput } from "./answer-output.ts";
import type { SessionQueues, Ticket } from "./session-queues.ts";

/** The session that a turn belongs to. */
export interface TurnSession {
  readonly id: string;
  readonly key: string;
  readonly scope: string;
  /** The rule that found it. */
  readonly rule: string;
  /** It was found by its transcript, which must have this hash when the turn is accepted. */
  readonly expectHead?: string;
  /** It was made for this request: its agent knows nothing yet. */
  readonly isNew: boolean;
}

export interface ChatTurnOptions {
  readonly agent: ChosenAgent;
  readonly session: TurnSession;
  readonly conversation: Conversation;
  /** The link to the session's worker, and how to have another one when it is lost while the turn waits. */
  readonly link: WorkerLink;
  connect(): Promise<WorkerLink>;
  readonly queues: SessionQueues;
  readonly queueMs: number;
  readonly output: AnswerOutput;
  /** Aborts with a `WireFailure` when the client left and its turn is to be cancelled. */
  readonly left: AbortSignal;
  /** Aborts with a `WireFailure` when the gateway closes: the client is told, and the turn goes on without it. */
  readonly closing: AbortSignal;
  readonly log: Logger;
}

/** One turn from the queue to its end: admitted, submitted when its time comes, its events handed to the output. */
export async function runChatTurn(options: ChatTurnOptions): Promise<void> {
  const { session, link, queues, output, log } = options;
  const turn = randomUUID();
  const ticket = queues.enter(`${link.workspace}/${session.id}`);
  output.admitted({ turn, session: session.id, rule: session.rule, position: ticket.position });
  try {
    const ready = await prepare(turn, ticket, options);
    await submit(ready.order, ready.link, ticket, options);
  } catch (error) {
    const failure = error instanceof WireFailure ? error.error : internalError(error, log);
    log.info("turn.not_ended", { turn, code: failure.code });
    output.failed(failure);
  } finally {
    ticket.leave();
  }
}

/** Waits for the turn's time, and then makes it ready to be submitted; all of it within `queueMs`. */
async function prepare(
  turn: string,
  ticket: Ticket,
  options: ChatTurnOptions,
): Promise<{ order: Submit; link: WorkerLink }> {
  const { queueMs, left, closing } = options;
  const expiry = new AbortController();
  const message = `the turn's time did not come within ${queueMs} ms (limits.queueMs)`;
  const late = new WireFailure("queue_timeout", message, { retryAfterMs: 5_000 });
  const timer = setTimeout(() => expiry.abort(late), queueMs);
  const stop = AbortSignal.any([left, closing, expiry.signal]);
  try {
    await ticket.whenFirst(stop);
    const link = options.link.isOpen ? options.link : await abortable(options.connect(), stop);
    return { link, order: await abortable(makeOrder(turn, link, options), stop) };
  } finally {
    clearTimeout(timer);
  }
}

/** Now, when its time has come, is it known whether the session knows the earlier messages. */
async function makeOrder(turn: string, link: WorkerLink, options: ChatTurnOptions): Promise<Submit> {
  const { agent, session, conversation } = options;
  const { id, key, scope, expectHead, isNew } = session;
  const hasHistory = conversation.earlier.some(({ role }) => role === "assistant");
  const isKnown =
    !hasHistory || expectHead !== undefined || (!isNew && (await link.locate({ session: id })) !== undefined);
  return {
    type: "submit",
    turn,
    session: { id, key, agent: agent.name, scope },
    ...(agent.model === undefined ? {} : { model: agent.model }),
    prompt: isKnown ? conversation.prompt : seededPrompt(conversation),
    ...(isNew || expectHead !== undefined ? { transcript: conversation.hashAfter } : {}),
    ...(expectHead === undefined ? {} : { expectHead }),
  };
}

async function submit(
  order: Submit,
  link: WorkerLink,
  ticket: Ticket,
  options: ChatTurnOptions,
): Promise<void> {
  const { output, left, closing, session, log } = options;
  const { promise, resolve } = Promise.withResolvers<void>();
  const { turn } = order;
  const startedAt = performance.now();
  const end = (state: TurnEnd["state"] | "refused", error?: WireError) => {
    const tookMs = Math.round(performance.now() - startedAt);
    log.info("turn.ended", {
      turn,
      session: session.id,
      rule: session.rule,
      state,
      code: error?.code,
      tookMs,
    });
    resolve();
  };
  link.submit(order, {
    onAccepted: () => ticket.accepted(),
    onText: (text) => output.text(text),
    onReasoning: (text) => output.reasoning(text),
    onRefused: (error) => {
      output.failed(error);
      end("refused", error);
    },
    onEnded: (ended) => {
      if (ended.state === "completed") output.completed(ended);
      else output.failed(ended.error);
      end(ended.state, ended.state === "completed" ? undefined : ended.error);
    },
  });
  const onLeft = () => link.cancel(turn, "the client left");
  if (left.aborted) onLeft();
  left.addEventListener("abort", onLeft, { once: true });
  try {
    await abortable(promise, closing);
  } catch (error) {
    // It was handed over and goes on: repeating it would run it twice.
    throw error instanceof WireFailure ? new WireFailure(error.error.code, error.message) : error;
  } finally {
    left.removeEventListener("abort", onLeft);
  }
}
