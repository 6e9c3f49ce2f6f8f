import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ChildMessage, type SupervisorMessage } from "@synthesis/protocol";
import type { CloseReason } from "../close-reason.ts";
import { sleep } from "../deadline.ts";
import type { Logger } from "../logger.ts";
import { MARK_VARIABLE } from "../process-mark.ts";
import { Heartbeat } from "./heartbeat.ts";
import { asListening, toSend, type ListeningHandle } from "./listening-handle.ts";

export interface ForkOrder {
  /** The child's entry point, a file URL. */
  readonly entry: string;
  readonly configuration: unknown;
  /** A listening socket that it gets with its configuration. */
  readonly listening?: ListeningHandle | undefined;
  /** Its `SYNTHESIS_MARK`, by which it is found when whoever forked it is gone; default: that of this process. */
  readonly mark?: string;
  /** How long it may take to say ready, in ms; then it is killed. */
  readonly startMs: number;
  /** How long it may take to end when asked, once it has drained, in ms. */
  readonly closeMs: number;
  /** After how long without an answer to its pings it counts as hung and is killed, in ms; reported at half of it. */
  readonly silentMs: number;
  readonly compileCacheDir: string;
  readonly log: Logger;
  /** What it says, and the listening socket that came with it. */
  onMessage(message: ChildMessage, listening?: ListeningHandle): void;
}

/** One forked process of ours, from its start to its exit. */
export class ForkedChild {
  /** Settles when it says ready; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly closed: Promise<CloseReason>;
  readonly #order: ForkOrder;
  readonly #child: ChildProcess;
  readonly #startTimer: NodeJS.Timeout;
  /** From its first word on: before that it loads its code, and answers nothing. */
  #heartbeat: Heartbeat | undefined;
  #reason: CloseReason | undefined;

  constructor(order: ForkOrder) {
    this.#order = order;
    this.#child = forkChild(order);
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    this.ready = ready;
    this.ready.catch(() => {}); // whoever waits hears of it; nobody has to
    this.closed = this.#watch((reason) =>
      reject(new Error(`${order.entry} ended before it was ready: ${reason.message}`)),
    );
    this.#child.on("message", (message, handle) => {
      if (this.#isAlive) this.#heartbeat ??= this.#startHeartbeat(); // its last words may come after its exit
      this.#heartbeat?.hear();
      const parsed = ChildMessage.parse(message);
      if (parsed.type === "ready") {
        clearTimeout(this.#startTimer);
        resolve();
      }
      order.onMessage(parsed, asListening(handle));
    });
    this.#startTimer = setTimeout(
      () => this.kill({ code: "start_timeout", message: `not ready within ${order.startMs} ms` }),
      order.startMs,
    );
    this.send({ type: "configure", configuration: order.configuration }, order.listening);
    this.send({ type: "ping" });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** False: it has left half of the pings unanswered after which it counts as hung. */
  get isResponsive(): boolean {
    return this.#heartbeat?.isResponsive ?? true;
  }

  get #isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  send(message: SupervisorMessage, listening?: ListeningHandle): void {
    if (this.#child.connected) this.#child.send(message, toSend(listening), () => {}); // a failed send shows as its exit
  }

  /**
   * Asks it to end when what runs in it is over, within `drainMs`; kills it `closeMs` later. Of several calls
   * the earliest end counts.
   */
  async close(reason: CloseReason, drainMs = 0): Promise<void> {
    this.#reason ??= reason;
    this.send({ type: "close", reason: reason.message, drainMs });
    const gone = new AbortController();
    void this.closed.then(() => gone.abort());
    await sleep(drainMs + this.#order.closeMs, gone.signal);
    if (!gone.signal.aborted) this.kill(reason);
    await this.closed;
  }

  kill(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#child.kill("SIGKILL");
  }

  /** Its event loop answers, or it is of no use to anybody. */
  #startHeartbeat(): Heartbeat {
    const { silentMs, log } = this.#order;
    return new Heartbeat({
      silentMs,
      ping: () => this.send({ type: "ping" }),
      onUnresponsive: () => log.warn("child.unresponsive", { pid: this.pid, silentMs: silentMs / 2 }),
      onResponsive: () => log.info("child.responsive", { pid: this.pid }),
      onHung: () => this.kill({ code: "hung", message: `no answer for ${silentMs} ms` }),
    });
  }

  async #watch(onEnd: (reason: CloseReason) => void): Promise<CloseReason> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code ?? "unknown"}`));
    this.#child.once("error", (error) => resolve(error.message));
    const how = await promise;
    clearTimeout(this.#startTimer);
    this.#heartbeat?.stop();
    const reason = this.#reason ?? { code: "exited", message: how };
    this.#order.log.info("child.exited", { pid: this.pid, how, reason: reason.code });
    onEnd(reason);
    return reason;
  }
}

function forkChild({ entry, mark, compileCacheDir }: ForkOrder): ChildProcess {
  // NODE_COMPILE_CACHE saves the child 60 to 100 ms of type stripping; NODE_OPTIONS is for whom it was meant.
  const { NODE_OPTIONS: _, ...env } = process.env;
  return fork(fileURLToPath(entry), [], {
    env: {
      ...env,
      NODE_COMPILE_CACHE: compileCacheDir,
      ...(mark === undefined ? {} : { [MARK_VARIABLE]: mark }),
    },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [],
  });
}
