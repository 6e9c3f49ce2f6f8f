import { listSessions, type ListedSession, type QueriedWorkers } from "@synthesis/kit";
import { WireFailure, type SessionDetail } from "@synthesis/protocol";
import { checkSilent, silentWorkers, type InstanceWorker, type SilentWorker } from "./instance-workers.ts";

/** A session, where it is, and its worker. */
export interface InstanceSession extends SessionDetail, InstanceWorker {}

export interface ListedSessions {
  /** The last used first. */
  readonly sessions: readonly ListedSession[];
  readonly silent: readonly SilentWorker[];
}

/** The sessions of a running instance, of every API key. */
export class InstanceSessions {
  readonly #workers: QueriedWorkers<InstanceWorker>;

  constructor(workers: QueriedWorkers<InstanceWorker>) {
    this.#workers = workers;
  }

  async list(): Promise<ListedSessions> {
    const { answers: sessions, failures } = await listSessions(this.#workers);
    return { sessions, silent: silentWorkers(failures) };
  }

  /** Rejects where no workspace has it, several have it, or one that may have it does not answer. */
  async find(id: string): Promise<InstanceSession> {
    const { answers, failures } = await this.#workers.findAll("session_not_found", async (worker) => ({
      ...worker,
      ...(await worker.client.get(id)),
    }));
    const [found, ...more] = answers;
    if (found !== undefined && more.length === 0) return found;
    if (found !== undefined) {
      const names = answers.map(({ workspace }) => workspace).join(", ");
      const message = `several workspaces have the session ${id} (${names}): name one of them with --workspace`;
      throw new WireFailure("invalid_request", message);
    }
    checkSilent(failures);
    const message = `no workspace that is at work knows the session ${id}: name its workspace with --workspace`;
    throw new WireFailure("session_not_found", message);
  }
}
