import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "@synthesis/config";
import { ForkedChild, KeptChild, killMarked, type CloseReason, type Logger } from "@synthesis/kit";
import type { EnsureAnswer, WorkerStatus } from "@synthesis/protocol";
import type { ResolvedWorkspace } from "./workspace-resolver.ts";

export interface WorkspaceHostOptions {
  readonly workspace: ResolvedWorkspace;
  readonly settings: Settings;
  /** Tells this instance's agent processes from those of another. */
  readonly instance: string;
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
  #usedAt = Date.now();

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

  get state(): string {
    return this.#kept.state;
  }

  get pid(): number | undefined {
    return this.#kept.pid;
  }

  get restarts(): number {
    return this.#kept.restarts;
  }

  /** What its worker said of itself last. */
  get status(): WorkerStatus | undefined {
    return this.#status;
  }

  /** When it was last asked for or had a turn (epoch ms). */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** Where its worker serves, once it does. */
  async ensure(): Promise<EnsureAnswer> {
    this.#usedAt = Date.now();
    await this.#kept.whenServing();
    return { workspace: this.workspace.name, epoch: this.#epoch, socketPath: this.#socketPath };
  }

  evictOldest(): void {
    this.#kept.child.send({ type: "evict" });
  }

  async close(reason: CloseReason): Promise<void> {
    await this.#kept.close(reason);
  }

  get #hash(): string {
    return createHash("sha256").update(this.workspace.path).digest("hex").slice(0, 16);
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
    const { settings, log } = this.#options;
    const { limits, agents, claude, logLevel, stateDir } = settings;
    // Not below an earlier epoch, also of an earlier supervisor, whatever the clock says within this one.
    this.#epoch = Math.max(Date.now(), this.#epoch + 1);
    const { name, path } = this.workspace;
    return new ForkedChild({
      entry: workerEntry,
      configuration: {
        workspace: name,
        path,
        epoch: this.#epoch,
        socketPath: this.#socketPath,
        journalFile: join(stateDir, "journals", `${this.#hash}.db`),
        markPrefix: `${this.#markPrefix}/${this.#epoch}`,
        agents,
        claude,
        limits,
        logLevel,
      },
      startMs: limits.startMs,
      closeMs: limits.closeMs + WORKER_CLOSE_MARGIN_MS,
      compileCacheDir: join(stateDir, "cache"),
      log: log.child({ workspace: name }),
      onMessage: (message) => {
        if (message.type !== "status") return;
        this.#status = message.status;
        if (message.status.turns > 0) this.#usedAt = Date.now();
      },
    });
  }

  /** Its agent processes must be gone before a new worker resumes their sessions: two would write one transcript. */
  #onGone(reason: CloseReason): void {
    this.#status = undefined;
    const killed = killMarked(`${this.#markPrefix}/`);
    if (killed > 0)
      this.#options.log.warn("worker.orphans_killed", {
        workspace: this.workspace.name,
        killed,
        reason: reason.code,
      });
    void rm(this.#socketPath, { force: true });
  }
}

/** A worker's own ladder for its agents fits into `closeMs`; the rest is for itself. */
const WORKER_CLOSE_MARGIN_MS = 2_000;
