import { sleep } from "@synthesis/kit";
import type { Instance } from "../instance/instance.ts";
import { roleHolders, type Role, type RoleHolder } from "../instance/process-tree.ts";
import type { Random } from "../random.ts";
import type { Fault, FaultRecord, ScheduledFault } from "./fault.ts";
import { killProcess } from "./kill-process.ts";
import { pauseProcess } from "./pause-process.ts";
import { schedule } from "./schedule.ts";
import { sendSignal } from "./send-signal.ts";
import type { ToxicProxy } from "./toxic-proxy.ts";

export interface NemesisOptions {
  readonly instance: Instance;
  readonly proxy: ToxicProxy;
  readonly random: Random;
  /** Workspaces whose own processes are left alone. */
  readonly control: ReadonlySet<string>;
  /** How long what has to die with a killed process may live on, in ms. */
  readonly orphanMs: number;
  onFault(record: FaultRecord): void;
}

/** What one fault came to. */
type Effect = Omit<FaultRecord, "at" | "fault">;

/** Who does harm to a running instance, by a schedule that a seed decides. */
export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #schedule: Generator<ScheduledFault, never, undefined>;
  readonly #pending = new Set<Promise<void>>();
  /** Pids that are stopped now. */
  readonly #paused = new Set<number>();
  #kills = 0;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#schedule = schedule(options.random);
  }

  /** Processes killed so far. */
  get kills(): number {
    return this.#kills;
  }

  /** Fault after fault till this many kills were done, or `stop` aborts; resolves when all of them are over. */
  async run(kills: number, stop: AbortSignal): Promise<void> {
    while (this.#kills < kills && !stop.aborted) {
      const { afterMs, choice, fault } = this.#schedule.next().value;
      await sleep(afterMs, stop);
      if (stop.aborted) break;
      const record = this.#record(fault, choice);
      this.#pending.add(record);
      void record.finally(() => this.#pending.delete(record));
    }
    await Promise.all(this.#pending);
  }

  /** Each fault goes on beside the next ones. */
  async #record(fault: Fault, choice: number): Promise<void> {
    const at = Date.now();
    const effect = await this.#inflict(fault, choice);
    this.#options.onFault({ at, fault, ...effect });
  }

  async #inflict(fault: Fault, choice: number): Promise<Effect> {
    const { instance, proxy, orphanMs } = this.#options;
    if (fault.kind === "toxic") {
      proxy.apply(fault.toxic);
      await sleep(fault.forMs);
      proxy.apply(undefined);
      return { target: "clients' connections", overAt: Date.now(), remains: [] };
    }
    const target = this.#target(roleOf(fault), choice);
    if (target === undefined) return { remains: [] };
    const named = nameOf(target);
    switch (fault.kind) {
      case "kill":
        this.#kills += 1;
        return { ...named, ...(await killProcess(target, orphanMs)) };
      case "pause":
        this.#paused.add(target.pid);
        try {
          return { ...named, ...(await pauseProcess(target, fault.forMs, orphanMs)) };
        } finally {
          this.#paused.delete(target.pid);
        }
      case "cut_plugin":
        // To one that is only starting it is a kill.
        sendSignal(target, "SIGUSR2");
        return { ...named, overAt: Date.now(), remains: [] };
      case "restart":
        await instance.command("restart", target.workspace ?? "");
        return { ...named, overAt: Date.now(), remains: [] };
    }
  }

  #target(wanted: Role | "plugin", choice: number): RoleHolder | undefined {
    const { instance, control } = this.#options;
    const holders = roleHolders(instance.pid);
    const plugins = new Set(
      instance.workspaces.filter(({ kind }) => kind === "command").map(({ name }) => name),
    );
    const found = holders.filter((holder) => {
      const { role, workspace = "" } = holder;
      if (control.has(workspace) || !this.#isLookedAfter(holder, holders)) return false;
      return wanted === "plugin" ? role === "agent" && plugins.has(workspace) : role === wanted;
    });
    return found[Math.floor(choice * found.length)];
  }

  /** Who cleans up after a process must not be stopped itself: till that is found out nothing can be promised. */
  #isLookedAfter(holder: RoleHolder, holders: readonly RoleHolder[]): boolean {
    if (this.#paused.has(holder.pid)) return false;
    if (holder.role === "supervisor") return true;
    const keeper = holders.find(({ role, workspace }) =>
      holder.role === "agent" ? role === "worker" && workspace === holder.workspace : role === "supervisor",
    );
    return keeper !== undefined && !this.#paused.has(keeper.pid);
  }
}

function roleOf(fault: Exclude<Fault, { kind: "toxic" }>): Role | "plugin" {
  if (fault.kind === "restart") return "worker";
  return fault.kind === "cut_plugin" ? "plugin" : fault.role;
}

function nameOf({ role, workspace, pid }: RoleHolder): Pick<FaultRecord, "target" | "workspace"> {
  const target = `${role}${workspace === undefined ? "" : ` of ${workspace}`} (pid ${pid})`;
  return workspace === undefined ? { target } : { target, workspace };
}
