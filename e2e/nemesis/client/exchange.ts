import { request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { Attempt, Outcome } from "./client-turn.ts";
import { AnswerReader } from "./answer-reader.ts";

/** Where a client finds Synthesis. */
export interface Door {
  /** To connect to: the gateway's port, or that of a proxy in front of it. */
  readonly port: number;
  /** What the gateway wants to be called. */
  readonly host: string;
  readonly key: string;
}

/** One request that brings (more of) an answer. */
export interface ExchangeOrder {
  readonly via: Attempt["via"];
  readonly method: "POST" | "GET";
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
  /** What is known of the answer already. */
  readonly known: string;
  /** A connection without a byte for this long is given up, in ms. */
  readonly silenceMs: number;
  /** Aborts when the client goes away, with the outcome that this has for it. */
  readonly leave: AbortSignal;
  /** The headers came. */
  onHeaders?(turn: string | undefined): void;
}

/** An attempt, and the event to read on from. */
export interface Exchange {
  readonly attempt: Attempt;
  readonly lastEventId: string | undefined;
  /** `Retry-After`, in ms. */
  readonly retryAfterMs: number | undefined;
}

/** Sends one request on a connection of its own and reads its answer to whatever end it has. Never rejects. */
export async function exchange(door: Door, order: ExchangeOrder): Promise<Exchange> {
  const at = Date.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  let reader: AnswerReader | undefined;
  let response: IncomingMessage | undefined;
  let headersAt: number | undefined;
  const outgoing = request({
    host: "127.0.0.1",
    port: door.port,
    method: order.method,
    path: order.path,
    agent: false,
    headers: { host: door.host, authorization: `Bearer ${door.key}`, ...order.headers },
  });
  const cut = (why: string) => {
    resolve(reader?.cut(why) ?? { kind: "cut", why });
    outgoing.destroy();
  };
  const leave = () => cut("left");
  order.leave.addEventListener("abort", leave, { once: true });
  outgoing.setTimeout(order.silenceMs, () => cut(`silent for ${order.silenceMs} ms`));
  outgoing.on("error", (error) => cut(error.message));
  outgoing.on("response", (incoming) => {
    headersAt = Date.now();
    response = incoming;
    reader = readerOf(incoming, order.known);
    order.onHeaders?.(headerOf(incoming, "x-synthesis-turn"));
    incoming.on("data", (bytes: Buffer) => reader?.push(bytes));
    incoming.on("end", () => reader && resolve(reader.end()));
    incoming.on("error", (error) => cut(error.message));
    incoming.on("close", () => cut("closed in the middle"));
  });
  outgoing.end(order.body);
  if (order.leave.aborted) leave();
  const seen = await promise;
  order.leave.removeEventListener("abort", leave);
  const outcome: Outcome = order.leave.aborted && seen.kind === "cut" ? { kind: "left" } : seen;
  const turn = headerOf(response, "x-synthesis-turn");
  const retryAfter = headerOf(response, "retry-after");
  return {
    attempt: {
      via: order.via,
      at,
      ...(headersAt === undefined ? {} : { headersAt }),
      endedAt: Date.now(),
      ...(turn === undefined ? {} : { turn }),
      text: reader?.text ?? order.known,
      seqs: reader?.seqs ?? [],
      pieces: reader?.pieces ?? [],
      outcome,
    },
    lastEventId: reader?.lastEventId,
    retryAfterMs: retryAfter === undefined ? undefined : Number(retryAfter) * 1_000,
  };
}

function readerOf(incoming: IncomingMessage, known: string): AnswerReader {
  const isStream = (headerOf(incoming, "content-type") ?? "").startsWith("text/event-stream");
  const head = {
    status: incoming.statusCode ?? 0,
    isStream,
    shouldRetry: headerOf(incoming, "x-should-retry"),
  };
  // An error tells nothing of the answer; a body that is no stream has all of it.
  return new AnswerReader(head, isStream ? known : "");
}

function headerOf(incoming: IncomingMessage | undefined, name: string): string | undefined {
  const value = incoming?.headers[name];
  return typeof value === "string" ? value : undefined;
}
