import { stat } from "node:fs/promises";
import { type ChildMessage, type Endpoint, SupervisorMessage } from "@synthesis/protocol";
import type * as z from "zod";
import type { CloseReason } from "../close-reason.ts";
import { withDeadline } from "../deadline.ts";
import { EndOrder } from "./end-order.ts";
import { asListening, toSend, type ListeningHandle } from "./listening-handle.ts";

/** What a supervised process lets its supervisor do. */
export interface Supervised {
  /** Where it serves, for the person who started Synthesis. */
  readonly endpoint?: Endpoint;
  /** The socket that it made and listens on, for the supervisor to keep for its successors. */
  readonly listening?: ListeningHandle | undefined;
  /** How long what runs may go on at SIGTERM, which may hit every process at once, in ms; default: 0. */
  readonly drainMs?: number;
  /** The supervisor asks it to end an idle agent process. */
  evict?(): void;
  /** The supervisor looks after it; a good moment to report its status. */
  onPing?(): void;
  /** Takes nothing new; resolves when what runs is over, or `deadlineMs` have passed. */
  drain?(deadlineMs: number): Promise<void>;
  /** Cuts what still runs, and ends. */
  close(reason: CloseReason): Promise<void>;
}

/** Makes what runs of its configuration; `listening` is the socket it inherits from its predecessor. */
export type SupervisedStart<Configuration> = (
  configuration: Configuration,
  send: (message: ChildMessage) => void,
  listening: ListeningHandle | undefined,
) => Promise<Supervised>;

/** It can never serve as configured; the message is for the person who started Synthesis. */
export class UnusableError extends Error {
  override readonly name = "UnusableError";
}

const CONFIGURE_MS = 10_000;

/**
 * Runs a process that a supervisor forked: takes its configuration from the first message, says ready,
 * answers pings to its end, drains and ends when told or at SIGTERM, and ends at once when the supervisor is
 * gone, also while it starts. Ctrl-C in the terminal reaches the whole group; it is left to the supervisor to stop things in order.
 */
export async function runSupervised<Schema extends z.ZodType>(
  schema: Schema,
  start: SupervisedStart<z.infer<Schema>>,
): Promise<void> {
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  // A write beyond `ulimit -f` fails; execa's own listener for this signal would end the process with it.
  process.on("SIGXFSZ", () => {});
  const channel = new SupervisorChannel();
  await stat("/"); // has libuv start its threads: it aborts the process that finds none left for them (measured)
  const { configuration, listening } = await withDeadline(
    channel.configured,
    CONFIGURE_MS,
    "no configuration came",
  );
  let supervised: Supervised;
  try {
    supervised = await start(schema.parse(configuration), channel.send, listening);
  } catch (error) {
    if (!(error instanceof UnusableError)) throw error;
    channel.send({ type: "unusable", message: error.message });
    process.exitCode = 1;
    process.disconnect?.();
    return;
  }
  channel.serve(supervised);
  const { reason, drainMs } = await channel.end.given;
  if (drainMs > 0) await Promise.race([supervised.drain?.(drainMs), channel.end.due]);
  await supervised.close(reason);
  process.exit(0);
}

/** A supervised process's end of the channel to its supervisor. */
class SupervisorChannel {
  readonly #configured = Promise.withResolvers<{
    readonly configuration: unknown;
    readonly listening: ListeningHandle | undefined;
  }>();
  #supervised: Supervised | undefined;
  readonly configured = this.#configured.promise;
  readonly end = new EndOrder();

  constructor() {
    process.on("message", (message, handle) => this.#receive(SupervisorMessage.parse(message), handle));
    process.on("disconnect", () => {
      if (this.#supervised === undefined) process.exit(1); // nothing runs yet that could be ended in order
      this.end.give({ code: "supervisor_lost", message: "the supervisor is gone" }, 0);
    });
  }

  readonly send = (message: ChildMessage, listening?: ListeningHandle): void => {
    if (!process.connected) return;
    // A supervisor that was killed this moment breaks the pipe before it is known to be gone.
    process.send?.(message, toSend(listening), undefined, () => {});
  };

  /** Says ready; from now on it is at its supervisor's service. */
  serve(supervised: Supervised): void {
    this.#supervised = supervised;
    const { endpoint, listening, drainMs = 0 } = supervised;
    process.on("SIGTERM", () => this.end.give({ code: "closing", message: "SIGTERM" }, drainMs));
    this.send({ type: "ready", ...(endpoint === undefined ? {} : { endpoint }) }, listening);
  }

  #receive(message: SupervisorMessage, handle: unknown): void {
    if (message.type !== "configure") this.#configured.reject(withoutSupervisor());
    switch (message.type) {
      case "configure":
        return this.#configured.resolve({
          configuration: message.configuration,
          listening: asListening(handle),
        });
      case "ping":
        this.send({ type: "pong" });
        return this.#supervised?.onPing?.();
      case "evict":
        return this.#supervised?.evict?.();
      case "close":
        return this.end.give({ code: "closing", message: message.reason }, message.drainMs);
    }
  }
}

function withoutSupervisor(): Error {
  return new Error("started without a supervisor: use `synthesis up`");
}
