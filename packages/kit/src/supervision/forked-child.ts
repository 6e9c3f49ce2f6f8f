import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ChildMessage, type SupervisorMessage } from "@synthesis/protocol";
import type { CloseReason } from "../close-reason.ts";
import { sleep } from "../deadline.ts";
import type { Logger } from "../logger.ts";

export interface ForkOrder {
  /** The child's entry point, a file URL. */
  readonly entry: string;
  readonly configuration: unknown;
  /** How long it may take to say ready, in ms; then it is killed. */
  readonly startMs: number;
  /** How long it may take to end when asked, in ms. */
  readonly closeMs: number;
  /** After how long without an answer to its pings it counts as hung and is killed, in ms; default: 10 s. */
  readonly silentMs?: number;
  readonly compileCacheDir: string;
  readonly log: Logger;
  onMessage(message: ChildMessage): void;
}

const SILENT_MS = 10_000;
/** How many pings go unanswered before a child counts as hung. */
const PINGS_PER_SILENCE = 5;

/** One forked process of ours, from its start to its exit. */
export class ForkedChild {
  /** Settles when it says ready; rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly closed: Promise<CloseReason>;
  readonly #order: ForkOrder;
  readonly #child: ChildProcess;
  /** While it starts, its deadline; then its heartbeat. */
  #timer: NodeJS.Timeout;
  #reason: CloseReason | undefined;
  #unanswered = 0;

  constructor(order: ForkOrder) {
    this.#order = order;
    // NODE_COMPILE_CACHE saves the child 60 to 100 ms of type stripping; NODE_OPTIONS is for whom it was meant.
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = fork(fileURLToPath(order.entry), [], {
      env: { ...env, NODE_COMPILE_CACHE: order.compileCacheDir },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: [],
    });
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    this.ready = ready;
    this.ready.catch(() => {}); // whoever waits hears of it; nobody has to
    this.closed = this.#watch((reason) =>
      reject(new Error(`${order.entry} ended before it was ready: ${reason.message}`)),
    );
    this.#child.on("message", (message) => {
      this.#unanswered = 0;
      const parsed = ChildMessage.parse(message);
      if (parsed.type === "ready") {
        this.#watchHeartbeat();
        resolve();
      }
      order.onMessage(parsed);
    });
    this.#timer = setTimeout(
      () => this.kill({ code: "start_timeout", message: `not ready within ${order.startMs} ms` }),
      order.startMs,
    );
    this.send({ type: "configure", configuration: order.configuration });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: SupervisorMessage): void {
    if (this.#child.connected) this.#child.send(message, () => {}); // a failed send shows as its exit
  }

  /** Asks it to end, kills it after `closeMs`. */
  async close(reason: CloseReason): Promise<void> {
    this.#reason ??= reason;
    this.send({ type: "close", reason: reason.message });
    const gone = new AbortController();
    void this.closed.then(() => gone.abort());
    await sleep(this.#order.closeMs, gone.signal);
    if (!gone.signal.aborted) this.kill(reason);
    await this.closed;
  }

  kill(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#child.kill("SIGKILL");
  }

  /**
   * Its event loop answers, or it is of no use to anybody. Counted in pings, not in time: after a suspend of
   * the machine all of us have been silent.
   */
  #watchHeartbeat(): void {
    clearTimeout(this.#timer);
    const silentMs = this.#order.silentMs ?? SILENT_MS;
    this.#timer = setInterval(() => {
      if (this.#unanswered++ === PINGS_PER_SILENCE) {
        this.kill({ code: "hung", message: `no answer for ${silentMs} ms` });
      }
      this.send({ type: "ping" });
    }, silentMs / PINGS_PER_SILENCE);
  }

  async #watch(onEnd: (reason: CloseReason) => void): Promise<CloseReason> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code ?? "unknown"}`));
    this.#child.once("error", (error) => resolve(error.message));
    const how = await promise;
    clearTimeout(this.#timer);
    const reason = this.#reason ?? { code: "exited", message: how };
    this.#order.log.info("child.exited", { pid: this.pid, how, reason: reason.code });
    onEnd(reason);
    return reason;
  }
}
