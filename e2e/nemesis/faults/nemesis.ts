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
type Harm = Required<Pick<FaultRecord, "overAt" | "remains">>;
/** One that hits a process. */
type TargetedFault = Exclude<Fault, { kind: "toxic" }>;

/** Who does harm to a running instance, by a schedule that a seed decides. */
export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #schedule: Generator<ScheduledFault, never, undefined>;
  readonly #pending = new Set<Promise<void>>();
  /** Who suffers from what now. */
  readonly #victims = new Map<RoleHolder, Fault["kind"]>();
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
    const { proxy } = this.#options;
    if (fault.kind === "toxic") {
      proxy.apply(fault.toxic);
      await sleep(fault.forMs);
      proxy.apply(undefined);
      return { target: "clients' connections", overAt: Date.now(), remains: [] };
    }
    const target = this.#target(fault, choice);
    if (target === undefined) return { remains: [] };
    this.#victims.set(target, fault.kind);
    try {
      return { ...nameOf(target), ...(await this.#harm(target, fault)) };
    } finally {
      this.#victims.delete(target);
    }
  }

  async #harm(target: RoleHolder, fault: TargetedFault): Promise<Harm> {
    const { instance, orphanMs } = this.#options;
    switch (fault.kind) {
      case "kill":
        this.#kills += 1;
        return killProcess(target, orphanMs);
      case "pause":
        return pauseProcess(target, fault.forMs, orphanMs);
      case "cut_plugin":
        // To one that is only starting it is a kill.
        sendSignal(target, "SIGUSR2");
        break;
      case "restart":
        await instance.command("restart", target.workspace ?? "");
    }
    return { overAt: Date.now(), remains: [] };
  }

  #target(fault: TargetedFault, choice: number): RoleHolder | undefined {
    const { instance, control } = this.#options;
    const wanted = roleOf(fault);
    const holders = roleHolders(instance.pid);
    const plugins = new Set(
      instance.workspaces.filter(({ kind }) => kind === "command").map(({ name }) => name),
    );
    const found = holders.filter((holder) => {
      const { role, workspace = "" } = holder;
      if (control.has(workspace) || !this.#isLookedAfter(holder, holders)) return false;
      if (fault.kind === "pause" && this.#isNeeded(holder)) return false;
      return wanted === "plugin" ? role === "agent" && plugins.has(workspace) : role === wanted;
    });
    return found[Math.floor(choice * found.length)];
  }

  /** Who cleans up after a process must not be stopped itself: till that is found out nothing can be promised. */
  #isLookedAfter(holder: RoleHolder, holders: readonly RoleHolder[]): boolean {
    if (this.#isPaused(holder)) return false;
    if (holder.role === "supervisor") return true;
    const keeper = holders.find((other) => keeps(other, holder));
    return keeper !== undefined && !this.#isPaused(keeper);
  }

  /** Whether it has to clean up after somebody just now. */
  #isNeeded(holder: RoleHolder): boolean {
    return [...this.#victims.keys()].some((victim) => keeps(holder, victim));
  }

  #isPaused({ pid }: RoleHolder): boolean {
    return [...this.#victims].some(([victim, kind]) => kind === "pause" && victim.pid === pid);
  }
}

/** Whether the one cleans up after the other. */
function keeps(keeper: RoleHolder, ward: RoleHolder): boolean {
  if (ward.role === "agent") return keeper.role === "worker" && keeper.workspace === ward.workspace;
  return ward.role !== "supervisor" && keeper.role === "supervisor";
}

function roleOf(fault: TargetedFault): Role | "plugin" {
  if (fault.kind === "restart") return "worker";
  return fault.kind === "cut_plugin" ? "plugin" : fault.role;
}

function nameOf({ role, workspace, pid }: RoleHolder): Pick<FaultRecord, "target" | "workspace"> {
  const target = `${role}${workspace === undefined ? "" : ` of ${workspace}`} (pid ${pid})`;
  return workspace === undefined ? { target } : { target, workspace };
}
