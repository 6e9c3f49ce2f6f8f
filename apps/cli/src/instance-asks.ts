import { listAsks, type ListedAsk, type QueriedWorkers } from "@synthesis/kit";
import { WireFailure, type AgentAsk } from "@synthesis/protocol";
import { checkSilent, silentWorkers, type InstanceWorker, type SilentWorker } from "./instance-workers.ts";

/** An open ask, where it is, and its worker. */
export interface InstanceAsk extends InstanceWorker {
  readonly ask: AgentAsk;
}

export interface ListedAsks {
  /** The oldest first. */
  readonly asks: readonly ListedAsk[];
  readonly silent: readonly SilentWorker[];
}

/** What the agents of a running instance ask, in the sessions of every API key. */
export class InstanceAsks {
  readonly #workers: QueriedWorkers<InstanceWorker>;

  constructor(workers: QueriedWorkers<InstanceWorker>) {
    this.#workers = workers;
  }

  async list(): Promise<ListedAsks> {
    const { answers: asks, failures } = await listAsks(this.#workers);
    return { asks, silent: silentWorkers(failures) };
  }

  /** Rejects where no workspace has it, one that may have it does not answer, or it is settled: how, and by whom. */
  async find(id: string): Promise<InstanceAsk> {
    const { answers, failures } = await this.#workers.findFirst("ask_not_found", async (worker) => ({
      ...worker,
      ask: await worker.client.getAsk(id),
    }));
    const [found] = answers;
    if (found !== undefined) return found;
    checkSilent(failures);
    const message = `no workspace that is at work knows the ask ${id}: synthesis asks lists those that are open`;
    throw new WireFailure("ask_not_found", message);
  }
}
