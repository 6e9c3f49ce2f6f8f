import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "@synthesis/config";
import {
  ForkedChild,
  KeptChild,
  killMarked,
  type CloseReason,
  type KeptChildState,
  type Logger,
} from "@synthesis/kit";
import type { EnsureAnswer, StatusAnswer, WorkerStatus } from "@synthesis/protocol";
import type { Epochs } from "./epochs.ts";
import { workspaceHash } from "./workspace-hash.ts";
import type { ResolvedWorkspace } from "./workspace-resolver.ts";

export interface WorkspaceHostOptions {
  readonly workspace: ResolvedWorkspace;
  readonly settings: Settings;
  /** Tells this instance's processes from those of another. */
  readonly instance: string;
  readonly epochs: Epochs;
  readonly log: Logger;
}

const workerEntry = import.meta.resolve("#worker");

/** Keeps the worker of one workspace running; each generation is an epoch with a socket of its own. */
export class WorkspaceHost {
  readonly workspace: ResolvedWorkspace;
  readonly #options: WorkspaceHostOptions;
  readonly #kept: KeptChild;
  #epoch = 0;
  #status: WorkerStatus | undefined;
  #usedAt = performance.now();

  constructor(options: WorkspaceHostOptions) {
    this.workspace = options.workspace;
    this.#options = options;
    this.#kept = new KeptChild({
      title: `the worker of workspace "${options.workspace.name}"`,
      limits: options.settings.limits,
      log: options.log,
      fork: () => this.#fork(),
      onGone: (reason) => this.#onGone(reason),
    });
  }

  get state(): KeptChildState {
    return this.#kept.state;
  }

  /** What its worker said of itself last. */
  get status(): WorkerStatus | undefined {
    return this.#status;
  }

  /** When it was last asked for or had a turn, as a time of `performance.now()`. */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** How it is, for a person. */
  report(): StatusAnswer["workers"][number] {
    const { state, pid, restarts, nextAttemptMs } = this.#kept;
    return {
      workspace: this.workspace.name,
      path: this.workspace.path,
      state,
      restarts,
      ...(pid === undefined ? {} : { pid }),
      ...(nextAttemptMs === undefined ? {} : { nextAttemptMs }),
      ...(this.#status === undefined ? {} : { status: this.#status }),
    };
  }

  /** Where its worker serves, once it does; during a restart that is the new one. Rejects with a `WireFailure`. */
  async ensure(): Promise<EnsureAnswer> {
    this.#usedAt = performance.now();
    await this.#kept.whenServing();
    return { workspace: this.workspace.name, epoch: this.#epoch, socketPath: this.#socketPath };
  }

  evictOldest(): void {
    this.#kept.child.send({ type: "evict" });
  }

  /** Drains its worker and replaces it; the epoch of the one that serves then. Rejects with a `WireFailure`. */
  async restart(drainMs: number): Promise<number> {
    await this.#kept.restart({ code: "restarting", message: "its worker is being restarted" }, drainMs);
    return this.#epoch;
  }

  async close(reason: CloseReason, drainMs: number): Promise<void> {
    await this.#kept.close(reason, drainMs);
  }

  get #hash(): string {
    return workspaceHash(this.workspace.path);
  }

  get #socketPath(): string {
    return join(
      this.#options.settings.runtimeDir,
      `w-${this.#hash.slice(0, 8)}-${this.#epoch.toString(36)}.sock`,
    );
  }

  get #markPrefix(): string {
    return `${this.#options.instance}/${this.#hash}`;
  }

  #fork(): ForkedChild {
    const { settings, epochs, log } = this.#options;
    const { limits, agents, claude, logLevel, stateDir } = settings;
    this.#epoch = epochs.next();
    const { name, path } = this.workspace;
    const mark = `${this.#markPrefix}/${this.#epoch}`;
    return new ForkedChild({
      entry: workerEntry,
      configuration: {
        workspace: name,
        path,
        epoch: this.#epoch,
        socketPath: this.#socketPath,
        journalFile: join(stateDir, "journals", `${this.#hash}.db`),
        filesDir: join(stateDir, "files", this.#hash),
        receivedDir: join(stateDir, "received", this.#hash),
        markPrefix: mark,
        agents,
        claude,
        limits,
        logLevel,
      },
      mark,
      startMs: limits.startMs,
      silentMs: limits.hangMs,
      closeMs: limits.closeMs + WORKER_CLOSE_MARGIN_MS,
      compileCacheDir: join(stateDir, "cache"),
      log: log.child({ workspace: name }),
      onMessage: (message) => {
        if (message.type !== "status") return;
        this.#status = message.status;
        if (message.status.turns > 0) this.#usedAt = performance.now();
      },
    });
  }

  /** Its agent processes must be gone before a new worker resumes their sessions: two would write one transcript. */
  #onGone(reason: CloseReason): void {
    this.#status = undefined;
    this.#sweep(`${this.#markPrefix}/`, reason);
    // One that was just being started shows no environment in between fork and exec.
    const late = `${this.#markPrefix}/${this.#epoch}/`;
    setTimeout(() => this.#sweep(late, reason), LATE_SWEEP_MS).unref();
    void rm(this.#socketPath, { force: true });
  }

  #sweep(prefix: string, { code: reason }: CloseReason): void {
    const killed = killMarked(prefix);
    const { name: workspace } = this.workspace;
    if (killed > 0) this.#options.log.warn("worker.orphans_killed", { workspace, killed, reason });
  }
}

/** Before a process that was just being started could have done anything, in ms. */
const LATE_SWEEP_MS = 50;
/** A worker's own ladder for its agents fits into `closeMs`; the rest is for itself. */
const WORKER_CLOSE_MARGIN_MS = 2_000;
