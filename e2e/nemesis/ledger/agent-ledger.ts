import { basename } from "node:path";
import { Ledger, LEDGER_VARIABLE, LedgerPage, type LedgerKeeper } from "./ledger.ts";

/** The ledger as an agent process keeps it: who and where it is comes from its environment. */
export class AgentLedger {
  readonly #ledger: Ledger;
  readonly #keeper: LedgerKeeper;

  constructor(environment: NodeJS.ProcessEnv = process.env) {
    this.#ledger = new Ledger(wanted(environment, LEDGER_VARIABLE));
    // `<instance>/<workspace's hash>/<epoch>/<unique>`, set by the worker for each agent process.
    const mark = wanted(environment, "SYNTHESIS_MARK");
    this.#keeper = {
      // Claude's environment is one for all workspaces; their folders have their names.
      workspace: basename(process.cwd()),
      process: mark,
      pid: process.pid,
      epoch: Number(mark.split("/")[2]),
    };
  }

  /** Where one turn is recorded. */
  page(canary: string, turn: string | undefined): LedgerPage {
    return new LedgerPage(this.#ledger, this.#keeper, canary, turn);
  }
}

function wanted(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`${name} is not set: agents of the nemesis run only within it`);
  return value;
}
