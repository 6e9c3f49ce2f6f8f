import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { LedgerEntry } from "./ledger-entry.ts";

/** Names the ledger file to the agents of a run. */
export const LEDGER_VARIABLE = "NEMESIS_LEDGER";

/** The ledger in the folder of a run. */
export const LEDGER_FILE = "ledger.jsonl";

/** What every line of one keeper has in common. */
export type LedgerKeeper = Pick<LedgerEntry, "workspace" | "process" | "pid" | "epoch">;

/** The record that agents keep of what they do. Many processes write to one file. */
export class Ledger {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** One `O_APPEND` write: whole even when its process is killed, and never within another's line. */
  write(entry: LedgerEntry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }

  /** All lines so far. Throws on one that is torn: nothing could be concluded from such a ledger. */
  read(): readonly LedgerEntry[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => LedgerEntry.parse(JSON.parse(line)));
  }
}

/** One turn's lines. */
export class LedgerPage {
  readonly #ledger: Ledger;
  readonly #line: LedgerKeeper & { readonly canary: string; readonly turn?: string };

  constructor(ledger: Ledger, keeper: LedgerKeeper, canary: string, turn: string | undefined) {
    this.#ledger = ledger;
    this.#line = { ...keeper, canary, ...(turn === undefined ? {} : { turn }) };
  }

  taken(): void {
    this.#ledger.write({ ...this.#line, at: Date.now(), type: "taken" });
  }

  said(text: string): void {
    this.#ledger.write({ ...this.#line, at: Date.now(), type: "said", text });
  }

  ended(how: "completed" | "cancelled"): void {
    this.#ledger.write({ ...this.#line, at: Date.now(), type: "ended", how });
  }
}
