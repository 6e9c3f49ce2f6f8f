import { SessionClient, withDeadline } from "@synthesis/kit";
import { WireFailure, type SessionDetail, type SessionInfo } from "@synthesis/protocol";
import type { ControlClient } from "./control-client.ts";

/** A session, where it is, and its worker. */
export interface InstanceSession extends SessionDetail {
  readonly workspace: string;
  readonly client: SessionClient;
}

export interface ListedSessions {
  /** The last used first. */
  readonly sessions: readonly { readonly workspace: string; readonly session: SessionInfo }[];
  /** Who did not answer, and why. */
  readonly failures: readonly { readonly workspace: string; readonly message: string }[];
}

/** How long a worker may take when every one is asked, in ms. */
const ANSWER_MS = 10_000;

/** The sessions of a running instance, of every API key: in one workspace, or in each that has a worker now. */
export class InstanceSessions {
  readonly #control: ControlClient;
  readonly #workspace: string | undefined;

  /** `workspace` is asked for by name or path, and gets a worker where it has none. */
  constructor(control: ControlClient, workspace: string | undefined) {
    this.#control = control;
    this.#workspace = workspace;
  }

  async list(): Promise<ListedSessions> {
    const { answers, failures } = await this.#ask(async (workspace, client) =>
      (await client.list()).map((session) => ({ workspace, session })),
    );
    return { sessions: answers.flat().sort((a, b) => b.session.usedAt - a.session.usedAt), failures };
  }

  /** Rejects where no workspace has it, several have it, or one that may have it does not answer. */
  async find(id: string): Promise<InstanceSession> {
    const { answers, failures } = await this.#ask(async (workspace, client) => {
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

  async #ask<T>(ask: (workspace: string, client: SessionClient) => Promise<T>): Promise<{
    readonly answers: readonly T[];
    readonly failures: ListedSessions["failures"];
  }> {
    const answerOf = async (asked: string) => {
      const { workspace, socketPath } = await this.#control.ensure(asked);
      return ask(workspace, new SessionClient({ socketPath }));
    };
    if (this.#workspace !== undefined) return { answers: [await answerOf(this.#workspace)], failures: [] };
    const { workers } = await this.#control.status();
    const settled = await Promise.allSettled(
      workers.map(async ({ path }) => withDeadline(answerOf(path), ANSWER_MS, "its worker did not answer")),
    );
    return {
      answers: settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
      failures: settled.flatMap((each, index) =>
        each.status === "rejected"
          ? [{ workspace: workers[index]?.workspace ?? "", message: messageOf(each.reason) }]
          : [],
      ),
    };
  }
}

function ignoreUnknown(error: unknown): undefined {
  if (!(error instanceof WireFailure && error.error.code === "session_not_found")) throw error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
