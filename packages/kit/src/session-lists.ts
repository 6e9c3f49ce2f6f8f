import type { AgentAsk, SessionInfo } from "@synthesis/protocol";
import type { QueriedWorkers, WorkersAnswers } from "./queried-workers.ts";
import type { SessionClient } from "./session-client.ts";

/** A worker that can be asked about its sessions. */
export interface SessionWorker {
  readonly workspace: string;
  readonly client: SessionClient;
}

export interface ListedAsk {
  readonly workspace: string;
  readonly ask: AgentAsk;
}

export interface ListedSession {
  readonly workspace: string;
  readonly session: SessionInfo;
}

/** The open asks of all workers, the oldest first. Rejects as `QueriedWorkers.query`. */
export async function listAsks(workers: QueriedWorkers<SessionWorker>): Promise<WorkersAnswers<ListedAsk>> {
  const { answers, failures } = await workers.query(async ({ workspace, client }) =>
    (await client.listAsks()).map((ask) => ({ workspace, ask })),
  );
  return { answers: answers.flat().sort((a, b) => a.ask.askedAt - b.ask.askedAt), failures };
}

/** The sessions of all workers, the last used first. Rejects as `QueriedWorkers.query`. */
export async function listSessions(
  workers: QueriedWorkers<SessionWorker>,
): Promise<WorkersAnswers<ListedSession>> {
  const { answers, failures } = await workers.query(async ({ workspace, client }) =>
    (await client.list()).map((session) => ({ workspace, session })),
  );
  return { answers: answers.flat().sort((a, b) => b.session.usedAt - a.session.usedAt), failures };
}
