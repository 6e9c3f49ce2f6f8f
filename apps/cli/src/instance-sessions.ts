import type { SessionClient } from "@synthesis/kit";
import { WireFailure, type SessionDetail, type SessionInfo } from "@synthesis/protocol";
import type { InstanceAnswers, InstanceWorkers } from "./instance-workers.ts";

/** A session, where it is, and its worker. */
export interface InstanceSession extends SessionDetail {
  readonly workspace: string;
  readonly client: SessionClient;
}

export interface ListedSessions extends Pick<InstanceAnswers<unknown>, "failures"> {
  /** The last used first. */
  readonly sessions: readonly { readonly workspace: string; readonly session: SessionInfo }[];
}

/** The sessions of a running instance, of every API key. */
export class InstanceSessions {
  readonly #workers: InstanceWorkers;

  constructor(workers: InstanceWorkers) {
    this.#workers = workers;
  }

  async list(): Promise<ListedSessions> {
    const { answers, failures } = await this.#workers.ask(async (workspace, client) =>
      (await client.list()).map((session) => ({ workspace, session })),
    );
    return { sessions: answers.flat().sort((a, b) => b.session.usedAt - a.session.usedAt), failures };
  }

  /** Rejects where no workspace has it, several have it, or one that may have it does not answer. */
  async find(id: string): Promise<InstanceSession> {
    const { answers, failures } = await this.#workers.ask(async (workspace, client) => {
      const detail = await client.get(id).catch(ignoreUnknown);
      return detail && { workspace, client, ...detail };
    });
    const [found, ...more] = answers.filter((answer) => answer !== undefined);
    if (found !== undefined && more.length === 0) return found;
    if (found !== undefined) {
      const names = [found, ...more].map(({ workspace }) => workspace).join(", ");
      const message = `several workspaces have the session ${id} (${names}): name one of them with --workspace`;
      throw new WireFailure("invalid_request", message);
    }
    const [failure] = failures;
    if (failure !== undefined)
      throw new WireFailure("worker_unavailable", `${failure.workspace}: ${failure.message}`);
    const message = `no workspace that is at work knows the session ${id}: name its workspace with --workspace`;
    throw new WireFailure("session_not_found", message);
  }
}

function ignoreUnknown(error: unknown): undefined {
  if (!(error instanceof WireFailure && error.error.code === "session_not_found")) throw error;
}
