import type { SessionClient } from "@synthesis/kit";
import { WireFailure, type AgentAsk } from "@synthesis/protocol";
import type { InstanceAnswers, InstanceWorkers } from "./instance-workers.ts";

/** An open ask, where it is, and its worker. */
export interface InstanceAsk {
  readonly workspace: string;
  readonly client: SessionClient;
  readonly ask: AgentAsk;
}

export interface ListedAsks extends Pick<InstanceAnswers<unknown>, "failures"> {
  /** The oldest first. */
  readonly asks: readonly { readonly workspace: string; readonly ask: AgentAsk }[];
}

/** What the agents of a running instance ask, in the sessions of every API key. */
export class InstanceAsks {
  readonly #workers: InstanceWorkers;

  constructor(workers: InstanceWorkers) {
    this.#workers = workers;
  }

  async list(): Promise<ListedAsks> {
    const { answers, failures } = await this.#workers.ask(async (workspace, client) =>
      (await client.listAsks()).map((ask) => ({ workspace, ask })),
    );
    return { asks: answers.flat().sort((a, b) => a.ask.askedAt - b.ask.askedAt), failures };
  }

  /** Rejects where no workspace has it, one that may have it does not answer, or it is settled: how, and by whom. */
  async find(id: string): Promise<InstanceAsk> {
    const { answers, failures } = await this.#workers.ask(async (workspace, client) => {
      const found = await client.getAsk(id).catch(refusal);
      return found && (found instanceof WireFailure ? found : { workspace, client, ask: found });
    });
    const found = answers.find((answer) => answer !== undefined);
    if (found instanceof WireFailure) throw found;
    if (found !== undefined) return found;
    const [failure] = failures;
    if (failure !== undefined)
      throw new WireFailure("worker_unavailable", `${failure.workspace}: ${failure.message}`);
    const message = `no workspace that is at work knows the ask ${id}: synthesis asks lists those that are open`;
    throw new WireFailure("ask_not_found", message);
  }
}

/** What the worker says that knows it; undefined: this one does not. */
function refusal(error: unknown): WireFailure | undefined {
  if (!(error instanceof WireFailure) || error.error.code === "worker_unavailable") throw error;
  return error.error.code === "ask_not_found" ? undefined : error;
}
