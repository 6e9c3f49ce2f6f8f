import type { Settings } from "@synthesis/config";
import { printable, sleep, type CloseReason, type KeptChildState, type Logger } from "@synthesis/kit";
import { WireFailure, type EnsureAnswer, type RestartAnswer, type StatusAnswer } from "@synthesis/protocol";
import type { Epochs } from "./epochs.ts";
import { FileLocator } from "./file-locator.ts";
import { OldFiles } from "./old-files.ts";
import { WorkspaceHost } from "./workspace-host.ts";
import { resolveWorkspace, type ResolvedWorkspace } from "./workspace-resolver.ts";

const MEMORY_CHECK_MS = 2_000;
const MIB = 1024 * 1024;
/** How long a worker must have been without a turn to be ended for another: one may be on its way to it. */
const AT_REST_MS = 1_000;
const ROOM_POLL_MS = 100;

export interface WorkspacesOptions {
  readonly settings: Settings;
  /** Tells this instance's processes from those of another. */
  readonly instance: string;
  readonly epochs: Epochs;
  readonly log: Logger;
}

/** Which workspaces have a worker: started when asked for, bounded in number and in their agents' memory. */
export class Workspaces {
  readonly #options: WorkspacesOptions;
  readonly #settings: Settings;
  readonly #files: FileLocator;
  readonly #oldFiles: OldFiles;
  readonly #hosts = new Map<string, WorkspaceHost>();
  /** The ends of workers that made room, by folder. */
  readonly #retiring = new Map<string, Promise<void>>();
  readonly #memoryCheck: NodeJS.Timeout;
  #closing: CloseReason | undefined;

  constructor(options: WorkspacesOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { stateDir, limits } = options.settings;
    this.#files = new FileLocator({ stateDir, limits, log: options.log });
    this.#oldFiles = new OldFiles({ stateDir, limits, log: options.log });
    this.#oldFiles.start();
    this.#memoryCheck = setInterval(() => this.#keepMemory(), MEMORY_CHECK_MS);
  }

  /** Sees that the asked workspace is served. Rejects with a `WireFailure`. */
  async ensure(asked: string): Promise<EnsureAnswer> {
    const workspace = await resolveWorkspace(asked, this.#settings);
    const deadline = performance.now() + this.#settings.limits.startMs;
    for (;;) {
      // Two workers of one folder would share its journal, and the end of one takes the agents of both.
      await this.#retiring.get(workspace.path);
      if (this.#hosts.has(workspace.path) || this.#makeRoom(performance.now() > deadline)) break;
      await sleep(ROOM_POLL_MS);
    }
    return this.#hostOf(workspace).ensure();
  }

  /**
   * Drains and replaces the worker of a workspace, where one runs. Rejects with a `WireFailure`: where there
   * is no such workspace, or the new worker does not serve.
   */
  async restart(asked: string, drainMs: number): Promise<RestartAnswer> {
    const running = [...this.#hosts.values()].find(({ workspace }) => workspace.name === asked);
    const workspace = running?.workspace ?? (await this.#known(asked));
    const host = this.#hosts.get(workspace.path);
    if (host === undefined) return { workspace: workspace.name };
    return { workspace: workspace.name, epoch: await host.restart(drainMs) };
  }

  /** By what the workspace that has this file can be asked for. Rejects with `file_not_found`. */
  async locateFile(file: string): Promise<string> {
    return this.#files.locate(file);
  }

  /** How each worker is. */
  report(): StatusAnswer["workers"] {
    return [...this.#hosts.values()].map((host) => host.report());
  }

  /** Turns that the workers have and that are not over. */
  get turns(): number {
    return [...this.#hosts.values()].reduce((sum, { status }) => sum + (status?.turns ?? 0), 0);
  }

  /** Ends every worker, with `drainMs` for what runs. Called again, the earliest end counts. */
  async close(reason: CloseReason, drainMs = 0): Promise<void> {
    this.#closing ??= reason;
    clearInterval(this.#memoryCheck);
    this.#oldFiles.close();
    await Promise.all([
      ...[...this.#hosts.values()].map((host) => host.close(reason, drainMs)),
      ...this.#retiring.values(),
    ]);
  }

  async #known(asked: string): Promise<ResolvedWorkspace> {
    return resolveWorkspace(asked, this.#settings).catch((cause: unknown) => {
      const message = `there is no workspace "${printable(asked)}": \`synthesis status\` names those with a worker`;
      throw new WireFailure("workspace_not_found", message, { cause });
    });
  }

  #hostOf(workspace: ResolvedWorkspace): WorkspaceHost {
    if (this.#closing) {
      throw new WireFailure("shutting_down", "Synthesis is being stopped", { retryAfterMs: 5_000 });
    }
    const known = this.#hosts.get(workspace.path);
    if (known) return known;
    const host = new WorkspaceHost({ ...this.#options, workspace });
    this.#hosts.set(workspace.path, host);
    this.#files.remember(workspace.path);
    return host;
  }

  /**
   * Whether one more worker may be started. At the bound, the one that has been without a turn longest makes
   * room; its sessions are resumed later. False: one will soon. Throws `too_many_workspaces` where none will,
   * or `isLate`.
   */
  #makeRoom(isLate: boolean): boolean {
    const max = this.#settings.limits.workspaces;
    if (this.#closing !== undefined || this.#hosts.size < max) return true;
    const idle = [...this.#hosts.values()].filter(
      ({ state, status }) => isDead(state) || (state !== "draining" && status?.turns === 0),
    );
    const [oldest] = idle.sort((a, b) => a.usedAt - b.usedAt);
    if (oldest === undefined || isLate) {
      const message = `${max} workspaces are at work, and no more may be (limits.workspaces)`;
      throw new WireFailure("too_many_workspaces", message, { retryAfterMs: 10_000 });
    }
    if (!isDead(oldest.state) && performance.now() - oldest.usedAt < AT_REST_MS) return false;
    const { path } = oldest.workspace;
    this.#hosts.delete(path);
    const end = oldest.close({ code: "retired", message: "another workspace needs its place" }, 0);
    this.#retiring.set(
      path,
      end.finally(() => this.#retiring.delete(path)),
    );
    return true;
  }

  /**
   * Over the memory budget, the agent process that has been idle longest is ended, or, where none is idle, the one that
   * has waited longest for a person; the next check sees what that gave.
   */
  #keepMemory(): void {
    const hosts = [...this.#hosts.values()];
    const used = hosts.reduce((sum, { status }) => sum + (status?.memoryBytes ?? 0), 0);
    if (used <= this.#settings.limits.memoryMb * MIB) return;
    const oldest = earliest(hosts, "oldestIdleAt") ?? earliest(hosts, "oldestAskingAt");
    if (oldest === undefined) return; // all are at work, or a person has a while yet
    this.#options.log.info("memory.over_budget", {
      usedMib: Math.round(used / MIB),
      evicting: oldest.workspace.name,
    });
    oldest.evictOldest();
  }
}

/** The worker whose status has the earliest of these times; undefined: none has one. */
function earliest(
  hosts: readonly WorkspaceHost[],
  time: "oldestIdleAt" | "oldestAskingAt",
): WorkspaceHost | undefined {
  const timed = hosts.filter(({ status }) => status?.[time] !== undefined);
  const [first] = timed.sort((a, b) => (a.status?.[time] ?? 0) - (b.status?.[time] ?? 0));
  return first;
}

/** Dead, and to be started again. */
function isDead(state: KeptChildState): boolean {
  return state === "pausing" || state === "failing";
}
