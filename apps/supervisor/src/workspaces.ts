import type { Settings } from "@synthesis/config";
import type { CloseReason, Logger } from "@synthesis/kit";
import { WireFailure, type EnsureAnswer, type StatusAnswer } from "@synthesis/protocol";
import { WorkspaceHost } from "./workspace-host.ts";
import { resolveWorkspace } from "./workspace-resolver.ts";

const MEMORY_CHECK_MS = 2_000;
const MIB = 1024 * 1024;

/** Which workspaces have a worker: started when asked for, bounded in number and in their agents' memory. */
export class Workspaces {
  readonly #settings: Settings;
  readonly #instance: string;
  readonly #log: Logger;
  readonly #hosts = new Map<string, WorkspaceHost>();
  /** The ends of workers that made room, by folder. */
  readonly #retiring = new Map<string, Promise<void>>();
  readonly #memoryCheck: NodeJS.Timeout;
  #closing: CloseReason | undefined;

  constructor(settings: Settings, instance: string, log: Logger) {
    this.#settings = settings;
    this.#instance = instance;
    this.#log = log;
    this.#memoryCheck = setInterval(() => this.#keepMemory(), MEMORY_CHECK_MS);
  }

  /** Sees that the asked workspace is served. Rejects with a `WireFailure`. */
  async ensure(asked: string): Promise<EnsureAnswer> {
    const workspace = await resolveWorkspace(asked, this.#settings);
    // Two workers of one folder would share its journal, and the end of one takes the agents of both.
    await this.#retiring.get(workspace.path);
    if (this.#closing)
      throw new WireFailure("shutting_down", "Synthesis is being stopped", { retryAfterMs: 5000 });
    let host = this.#hosts.get(workspace.path);
    if (host === undefined) {
      this.#makeRoom();
      host = new WorkspaceHost({
        workspace,
        settings: this.#settings,
        instance: this.#instance,
        log: this.#log,
      });
      this.#hosts.set(workspace.path, host);
    }
    return host.ensure();
  }

  status(): StatusAnswer {
    const workers = [...this.#hosts.values()].map(({ workspace, state, pid, restarts, status }) => ({
      workspace: workspace.name,
      path: workspace.path,
      state,
      restarts,
      ...(pid === undefined ? {} : { pid }),
      ...(status === undefined ? {} : { status }),
    }));
    return { workers };
  }

  async close(reason: CloseReason): Promise<void> {
    this.#closing = reason;
    clearInterval(this.#memoryCheck);
    await Promise.all([
      ...[...this.#hosts.values()].map((host) => host.close(reason)),
      ...this.#retiring.values(),
    ]);
  }

  /** At the bound, the worker that has been without a turn longest makes room; its sessions are resumed later. */
  #makeRoom(): void {
    const max = this.#settings.limits.workspaces;
    if (this.#hosts.size < max) return;
    const idle = [...this.#hosts.values()].filter(
      ({ state, status }) => state === "pausing" || status?.turns === 0,
    );
    const [oldest] = idle.sort((a, b) => a.usedAt - b.usedAt);
    if (oldest === undefined) {
      throw new WireFailure(
        "too_many_workspaces",
        `${max} workspaces are at work, and no more may be (limits.workspaces)`,
        { retryAfterMs: 10_000 },
      );
    }
    const { path } = oldest.workspace;
    this.#hosts.delete(path);
    const end = oldest.close({ code: "retired", message: "another workspace needs its place" });
    this.#retiring.set(
      path,
      end.finally(() => this.#retiring.delete(path)),
    );
  }

  /** Over the memory budget, the agent process that has been idle longest is ended; the next check sees what that gave. */
  #keepMemory(): void {
    const hosts = [...this.#hosts.values()];
    const used = hosts.reduce((sum, { status }) => sum + (status?.memoryBytes ?? 0), 0);
    if (used <= this.#settings.limits.memoryMb * MIB) return;
    const [oldest] = hosts
      .filter(({ status }) => status?.oldestIdleAt !== undefined)
      .sort((a, b) => (a.status?.oldestIdleAt ?? 0) - (b.status?.oldestIdleAt ?? 0));
    if (oldest === undefined) return; // all are at work
    this.#log.info("memory.over_budget", {
      usedMib: Math.round(used / MIB),
      evicting: oldest.workspace.name,
    });
    oldest.evictOldest();
  }
}
