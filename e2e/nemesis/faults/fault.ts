import type { Role } from "../instance/process-tree.ts";

/** What may be done to a process. */
type ProcessFault =
  | { readonly kind: "kill"; readonly role: Role }
  /** SIGSTOP, and SIGCONT after `forMs` to whatever still lives. */
  | { readonly kind: "pause"; readonly role: Role; readonly forMs: number };

/** What a proxy may do to the connections of the clients behind it. */
export type Toxic =
  /** Every chunk comes this much later. */
  | { readonly type: "latency"; readonly delayMs: number }
  /** Bytes come one by one. */
  | { readonly type: "slicer" }
  /** What is open is reset. */
  | { readonly type: "reset" }
  /** Nothing comes through; the connections stay open. */
  | { readonly type: "blackhole" }
  /** A connection ends after so many bytes of its answer. */
  | { readonly type: "limit_data"; readonly bytes: number };

/** One fault of a schedule. */
export type Fault =
  | ProcessFault
  /** `synthesis restart` of a workspace. */
  | { readonly kind: "restart" }
  /** The connection of a plugin to its bridge is reset. */
  | { readonly kind: "cut_plugin" }
  /** For `forMs` the clients' proxy does this. */
  | { readonly kind: "toxic"; readonly toxic: Toxic; readonly forMs: number };

/** A fault and its time. */
export interface ScheduledFault {
  /** After the fault before it, in ms. */
  readonly afterMs: number;
  /** From 0 to below 1: which one of those that it could hit. */
  readonly choice: number;
  readonly fault: Fault;
}

/** A fault as it happened. */
export interface FaultRecord {
  /** Epoch ms. */
  readonly at: number;
  readonly fault: Fault;
  /** Such as `worker w3 (pid 4711)`; absent: there was nothing to hit. */
  readonly target?: string;
  /** Of an agent, a worker, a plugin or a restart. */
  readonly workspace?: string;
  /** When what it disturbed was at an end: all that had to die is dead, what was stopped goes on, the toxic is off. */
  readonly overAt?: number;
  /** What outlived a process that it had to die with, or was not found out. */
  readonly remains: readonly string[];
}

/** Whether it disturbs every workspace. */
export function isGlobal({ fault }: Pick<FaultRecord, "fault">): boolean {
  if (fault.kind === "toxic") return true;
  return "role" in fault && (fault.role === "gateway" || fault.role === "supervisor");
}
