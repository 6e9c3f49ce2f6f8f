import { killMarked, MARK_VARIABLE, sleep, type CloseReason, type Logger } from "@synthesis/kit";
import { execa } from "execa";

/** What to start, and how. */
export interface ChildOrder {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Unique: by it the child's descendants are found wherever they moved to. */
  readonly mark: string;
  /** How long it may take to end when asked, in ms. */
  readonly closeMs: number;
  /** How it is asked to end: Claude by the end of its stdin, a program that need not read it by SIGTERM. */
  readonly endedBy: "stdin" | "SIGTERM";
  readonly log: Logger;
  onStdout(chunk: Buffer): void;
}

const STDERR_TAIL_CHARACTERS = 4096;
/** How long the last output of an ended process may take to arrive. */
const DRAIN_MS = 1000;

/**
 * An agent's operating-system process with everything it starts. It ends in one way (`closed`), for the first
 * reason given; when it has ended, none of its descendants is left.
 */
export class AgentChild {
  readonly closed: Promise<CloseReason>;
  readonly #order: ChildOrder;
  readonly #subprocess: ReturnType<typeof spawn>;
  #stderrTail = "";
  #reason: CloseReason | undefined;

  constructor(order: ChildOrder) {
    this.#order = order;
    this.#subprocess = spawn(order);
    this.#subprocess.stdout.on("data", (chunk: Buffer) => order.onStdout(chunk));
    this.#subprocess.stderr.on("data", (chunk: Buffer) => this.#noteStderr(chunk));
    // A dying process breaks its pipes first; its exit is what gets reported.
    for (const stream of [this.#subprocess.stdin, this.#subprocess.stdout, this.#subprocess.stderr]) {
      stream.on("error", () => {});
    }
    this.closed = this.#watch();
  }

  get pid(): number | undefined {
    return this.#subprocess.pid;
  }

  /** Whether it runs, as far as the system has said, and nobody has begun to end it. */
  get isAlive(): boolean {
    const { pid, exitCode, signalCode } = this.#subprocess.nodeChildProcess;
    return this.#reason === undefined && pid !== undefined && exitCode === null && signalCode === null;
  }

  /** The end of what it wrote to stderr. */
  get stderrTail(): string {
    return this.#stderrTail;
  }

  write(text: string): void {
    this.#subprocess.stdin.write(text);
  }

  /** Reads nothing more of it till {@link resume}, so that it has to wait. */
  pause(): void {
    this.#subprocess.stdout.pause();
  }

  resume(): void {
    this.#subprocess.stdout.resume();
  }

  /** Asks it to end, then SIGTERM at half of `closeMs`, then SIGKILL to all at `closeMs`. */
  async close(reason: CloseReason): Promise<void> {
    this.#reason ??= reason;
    this.#subprocess.stdin.end();
    if (this.#order.endedBy === "SIGTERM") this.#subprocess.kill("SIGTERM");
    const gone = new AbortController();
    void this.closed.then(() => gone.abort());
    await sleep(this.#order.closeMs / 2, gone.signal);
    if (!gone.signal.aborted) this.#subprocess.kill("SIGTERM");
    await sleep(this.#order.closeMs / 2, gone.signal);
    if (!gone.signal.aborted) await this.kill(reason);
  }

  /** SIGKILLs it and all its descendants now. */
  async kill(reason: CloseReason): Promise<void> {
    this.#reason ??= reason;
    this.#subprocess.kill("SIGKILL");
    killMarked(this.#order.mark);
    await this.closed;
  }

  async #watch(): Promise<CloseReason> {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#subprocess.nodeChildProcess.once("exit", () => resolve());
    this.#subprocess.nodeChildProcess.once("error", () => resolve());
    if (this.pid === undefined) resolve(); // spawn throws for some causes, and then there is no event
    await ended;
    // Before its output is read to the end: a descendant that lives on would hold the pipes open.
    const leftovers = killMarked(this.#order.mark);
    const drained = new AbortController();
    const result = await Promise.race([this.#subprocess, sleep(DRAIN_MS, drained.signal)]);
    drained.abort();
    const how = result ? describeExit(result) : "it ended, and something still holds its output open";
    const reason = this.#reason ?? { code: "exited", message: how };
    this.#order.log.info("agent.exited", { pid: this.pid, how, reason: reason.code, leftovers });
    return reason;
  }

  #noteStderr(chunk: Buffer): void {
    this.#stderrTail = (this.#stderrTail + chunk.toString("utf8")).slice(-STDERR_TAIL_CHARACTERS);
    this.#order.log.debug("agent.stderr", { pid: this.pid, text: chunk.toString("utf8") });
  }
}

function spawn({ command, args, cwd, env, mark }: ChildOrder) {
  return execa(command, args, {
    cwd,
    env: { ...env, [MARK_VARIABLE]: mark },
    extendEnv: false,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    buffer: false,
    reject: false,
    killDescendants: true, // an own process group: a Ctrl-C in our terminal must not reach it
    forceKillAfterDelay: false,
  });
}

function describeExit(result: Awaited<ReturnType<typeof spawn>>): string {
  if (result.exitCode !== undefined) return `exit code ${result.exitCode}`;
  return result.signal ?? result.code ?? "it could not be started";
}
