import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { residentBytes } from "@synthesis/kit";
import { roleHolders, type Role } from "../instance/process-tree.ts";
import type { Instance } from "../instance/instance.ts";

/** What the processes of one role use together. */
interface RoleUsage {
  readonly processes: number;
  readonly residentMib: number;
  readonly descriptors: number;
}

/** What an instance uses at one moment. */
export interface Usage {
  readonly roles: Readonly<Record<Role, RoleUsage>>;
  readonly journalKib: number;
}

/** Measures a running instance. */
export function usageOf(instance: Instance): Usage {
  const holders = roleHolders(instance.pid);
  const of = (role: Role): RoleUsage => {
    const pids = holders.filter((holder) => holder.role === role).map(({ pid }) => pid);
    return {
      processes: pids.length,
      residentMib: Math.round(sum(pids.map(residentBytes)) / 1024 / 1024),
      descriptors: sum(pids.map((pid) => entries(`/proc/${pid}/fd`))),
    };
  };
  const roles = {
    agent: of("agent"),
    worker: of("worker"),
    gateway: of("gateway"),
    supervisor: of("supervisor"),
  };
  return { roles, journalKib: Math.round(folderBytes(join(instance.stateDir, "journals")) / 1024) };
}

/** As one line. */
export function usageLine({ roles, journalKib }: Usage): string {
  const parts = Object.entries(roles).map(
    ([role, { processes, residentMib, descriptors }]) =>
      `${role} ${processes}p ${residentMib}M ${descriptors}fd`,
  );
  return `${parts.join(" · ")} · journals ${journalKib} KiB`;
}

function entries(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0; // the process is gone
  }
}

function folderBytes(folder: string): number {
  return sum(readdirSync(folder).map((name) => statSync(join(folder, name)).size));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
