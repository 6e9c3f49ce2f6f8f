import type { QueriedWorkers } from "@synthesis/kit";
import { WireFailure, type SessionDetail, type SessionInfo } from "@synthesis/protocol";
import { checkSilent, silentWorkers, type InstanceWorker, type SilentWorker } from "./instance-workers.ts";

/** A session, where it is, and its worker. */
export interface InstanceSession extends SessionDetail, InstanceWorker {}

export interface ListedSessions {
  /** The last used first. */
  readonly sessions: readonly { readonly workspace: string; readonly session: SessionInfo }[];
  readonly silent: readonly SilentWorker[];
}

/** The sessions of a running instance, of every API key. */
export class InstanceSessions {
  readonly #workers: QueriedWorkers<InstanceWorker>;

  constructor(workers: QueriedWorkers<InstanceWorker>) {
    this.#workers = workers;
  }

  async list(): Promise<ListedSessions> {
    const { answers, failures } = await this.#workers.query(async ({ workspace, client }) =>
      (await client.list()).map((session) => ({ workspace, session })),
    );
    const sessions = answers.flat().sort((a, b) => b.session.usedAt - a.session.usedAt);
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
