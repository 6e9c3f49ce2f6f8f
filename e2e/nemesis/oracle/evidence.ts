import type { ClientTurn } from "../client/client-turn.ts";
import type { FaultRecord } from "../faults/fault.ts";
import type { LedgerEntry } from "../ledger/ledger-entry.ts";

/** A turn as its workspace's journal has it after the run. Times are epoch ms. */
export interface JournalTurn {
  readonly id: string;
  readonly session: string;
  readonly state: string;
  readonly acceptedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly errorCode: string | null;
}

/** What is there when a run is over. */
export interface Remains {
  /** The exit code of `synthesis up`. */
  readonly exitCode: number | null;
  /** Whether turns still ran or waited though no client was there any more. */
  readonly isBusy: boolean;
  /** Live processes with this instance's mark after it was stopped. */
  readonly processes: readonly string[];
  /** Sockets, temporary files and journals moved aside. */
  readonly files: readonly string[];
}

/** How long things may take, in ms. */
export interface Deadlines {
  /** From a turn's acceptance to its end in the journal. */
  readonly turnMs: number;
  /** A client's patience with one turn. */
  readonly patienceMs: number;
}

/** All that the oracle judges by: three logs that know nothing of each other, the faults, and what remained. */
export interface Evidence {
  readonly clients: readonly ClientTurn[];
  /** In the order of acceptance within each session. */
  readonly journal: readonly JournalTurn[];
  /** In the order of writing. */
  readonly ledger: readonly LedgerEntry[];
  readonly faults: readonly FaultRecord[];
  readonly remains: Remains;
  /** Workspaces whose own processes were left alone. */
  readonly control: ReadonlySet<string>;
  /** Workspaces whose agent has `onInterrupt: resume`. */
  readonly resumable: ReadonlySet<string>;
  readonly deadlines: Deadlines;
}

/** The name of an invariant (reliability.md, C3). */
type InvariantName = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9";

/** Something that must not be. */
export interface Violation {
  readonly invariant: InvariantName;
  /** A turn's canary or id, a session, a process. */
  readonly subject: string;
  readonly message: string;
}

/** Looks for violations of one invariant. */
export type Invariant = (evidence: Evidence) => readonly Violation[];
