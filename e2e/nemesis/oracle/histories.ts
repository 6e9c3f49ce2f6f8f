import type { Attempt, ClientTurn, Outcome } from "../client/client-turn.ts";
import { answerParts, answerTo } from "../conversation/answer.ts";
import type { FaultRecord } from "../faults/fault.ts";
import type { LedgerEntry } from "../ledger/ledger-entry.ts";
import type { Evidence, JournalTurn } from "./evidence.ts";

/** Hand-made histories for the oracle's tests: each says only what it is about. */

/** A run in which nothing happened. */
export function evidence(parts: Partial<Evidence> = {}): Evidence {
  return {
    clients: [],
    journal: [],
    ledger: [],
    faults: [],
    remains: { exitCode: 0, isBusy: false, processes: [], files: [] },
    control: new Set(),
    resumable: new Set(),
    deadlines: { turnMs: 1_000, patienceMs: 2_000 },
    ...parts,
  };
}

export function orderOf(canary: string) {
  return { canary, parts: 3, everyMs: 0, partBytes: 8, usesTool: false };
}

/** One request; where nothing else is said it brought the whole answer of turn `t-<canary>`. */
export function attempt(canary: string, parts: Partial<Attempt> = {}): Attempt {
  return {
    via: "post",
    at: 100,
    headersAt: 110,
    endedAt: 200,
    turn: `t-${canary}`,
    text: answerTo(orderOf(canary)),
    seqs: [1, 2, 3],
    pieces: [],
    outcome: { kind: "completed" },
    ...parts,
  };
}

/** A request that ended with an error of Synthesis. */
export function failure(code: string, status = 502): Outcome {
  return { kind: "error", code, message: "it failed", status, isRetryable: status === 503 || status === 429 };
}

export function clientTurn(canary: string, parts: Partial<ClientTurn> = {}): ClientTurn {
  const [workspace = "", session = ""] = canary.split(".");
  return {
    order: orderOf(canary),
    streamed: true,
    keyed: true,
    resumesBy: "post",
    manner: "stays",
    afterMs: 0,
    session: `${workspace}.${session}`,
    workspace,
    at: 100,
    endedAt: 200,
    attempts: [attempt(canary)],
    end: "answered",
    ...parts,
  };
}

export function journalTurn(id: string, parts: Partial<JournalTurn> = {}): JournalTurn {
  const times = { acceptedAt: 110, startedAt: 120, endedAt: 200 };
  return { id, session: "ses_1", state: "completed", errorCode: null, ...times, ...parts };
}

/** What an agent writes down when it answers a turn; `until` leaves off after so many parts, without an end. */
export function ledgerOf(
  canary: string,
  parts: Partial<Pick<LedgerEntry, "process" | "epoch" | "turn" | "workspace">> & { until?: number } = {},
): readonly LedgerEntry[] {
  const { until, ...rest } = parts;
  const [workspace = "", session = ""] = canary.split(".");
  const own = { process: `${workspace}.${session}-1`, epoch: 1, turn: `t-${canary}`, workspace };
  const line = { at: 150, canary, ...own, ...rest };
  const said = answerParts(orderOf(canary)).slice(0, until);
  return [
    { ...line, type: "taken" },
    ...said.map((text) => ({ ...line, type: "said", text }) as const),
    ...(until === undefined ? [{ ...line, type: "ended", how: "completed" } as const] : []),
  ];
}

export function faultAt(
  at: number,
  fault: FaultRecord["fault"],
  parts: Partial<FaultRecord> = {},
): FaultRecord {
  return { at, fault, target: "something", overAt: at + 10, remains: [], ...parts };
}
