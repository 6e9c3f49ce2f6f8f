import { type ChildMessage, type Endpoint, SupervisorMessage } from "@synthesis/protocol";
import type * as z from "zod";
import type { CloseReason } from "../close-reason.ts";
import { withDeadline } from "../deadline.ts";

/** What a supervised process lets its supervisor do. */
export interface Supervised {
  /** Where it serves, for the person who started Synthesis. */
  readonly endpoint?: Endpoint;
  /** The supervisor asks it to end an idle agent process. */
  evict?(): void;
  /** The supervisor looks after it; a good moment to report its status. */
  onPing?(): void;
  close(reason: CloseReason): Promise<void>;
}

/** It can never serve as configured; the message is for the person who started Synthesis. */
export class UnusableError extends Error {
  override readonly name = "UnusableError";
}

const CONFIGURE_MS = 10_000;

/**
 * Runs a process that a supervisor forked: takes its configuration from the first message, says ready,
 * answers pings, and ends when told, when terminated, or when the supervisor is gone. Ctrl-C in the terminal
 * reaches the whole group; it is left to the supervisor to stop things in order.
 */
export async function runSupervised<Schema extends z.ZodType>(
  schema: Schema,
  start: (configuration: z.infer<Schema>, send: (message: ChildMessage) => void) => Promise<Supervised>,
): Promise<void> {
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  const send = (message: ChildMessage) => {
    if (process.connected) process.send?.(message);
  };
  const messages = new MessageQueue();
  const first = await withDeadline(messages.next(), CONFIGURE_MS, "no configuration came");
  if (first?.type !== "configure") throw new Error("started without a supervisor: use `synthesis up`");
  let supervised: Supervised;
  try {
    supervised = await start(schema.parse(first.configuration), send);
  } catch (error) {
    if (!(error instanceof UnusableError)) throw error;
    send({ type: "unusable", message: error.message });
    process.exitCode = 1;
    process.disconnect?.();
    return;
  }
  process.on("SIGTERM", () => messages.push({ type: "close", reason: "SIGTERM" }));
  send({ type: "ready", ...(supervised.endpoint === undefined ? {} : { endpoint: supervised.endpoint }) });
  await supervised.close(await untilClosed(supervised, messages, send));
  process.exit(0);
}

async function untilClosed(
  supervised: Supervised,
  messages: MessageQueue,
  send: (message: ChildMessage) => void,
): Promise<CloseReason> {
  for (;;) {
    const message = await messages.next();
    if (message === undefined) return { code: "supervisor_lost", message: "the supervisor is gone" };
    switch (message.type) {
      case "ping":
        send({ type: "pong" });
        supervised.onPing?.();
        break;
      case "evict":
        supervised.evict?.();
        break;
      case "close":
        return { code: "closing", message: message.reason };
      case "configure":
    }
  }
}

/** The supervisor's messages in order; undefined once it is gone. */
class MessageQueue {
  readonly #messages: (SupervisorMessage | undefined)[] = [];
  #wake: (() => void) | undefined;

  constructor() {
    process.on("message", (message) => this.push(SupervisorMessage.parse(message)));
    process.on("disconnect", () => this.push(undefined));
  }

  push(message: SupervisorMessage | undefined): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  async next(): Promise<SupervisorMessage | undefined> {
    if (this.#messages.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#messages.shift();
  }
}
