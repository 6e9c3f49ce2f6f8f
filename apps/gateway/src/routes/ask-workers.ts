import { SessionClient, withDeadline } from "@synthesis/kit";
import type { Caller } from "../http/edge-guard.ts";
import { callerHash } from "../identity/request-identity.ts";
import type { Exchange, GatewayParts } from "./route-context.ts";

/** The sessions of the caller's API key in one workspace. */
export interface WorkspaceSessions {
  readonly workspace: string;
  readonly client: SessionClient;
}

export interface WorkersAnswers<T> {
  readonly answers: readonly T[];
  /** Who did not answer, and why. */
  readonly failures: readonly { readonly workspace: string; readonly error: unknown }[];
}

/** How long a worker may take when every one is asked; one that is being started may take longer. In ms. */
const ANSWER_MS = 10_000;

/**
 * Asks about the caller's sessions in the workspace that `?workspace=` names, which starts its worker, or else in
 * every one that has a worker now. Rejects with a `WireFailure` where the named one does not answer.
 */
export async function askWorkers<T>(
  { request }: Exchange,
  { name }: Caller,
  { supervisor, workers }: GatewayParts,
  ask: (sessions: WorkspaceSessions) => Promise<T>,
): Promise<WorkersAnswers<T>> {
  const caller = callerHash(name);
  const answerOf = async (asked: string) => {
    const { workspace, socketPath } = await workers.link(asked);
    return ask({ workspace, client: new SessionClient({ socketPath, caller }) });
  };
  const named = new URL(request.url ?? "/", "http://gateway").searchParams.get("workspace");
  if (named !== null) return { answers: [await answerOf(named)], failures: [] };
  const { workers: running } = await supervisor.status();
  const settled = await Promise.allSettled(
    // By path: the name of a folder below one of `roots` is none that it can be asked for by.
    running.map(async ({ path }) => withDeadline(answerOf(path), ANSWER_MS, "no answer")),
  );
  return {
    answers: settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
    failures: settled.flatMap((each, index) =>
      each.status === "rejected" ? [{ workspace: running[index]?.workspace ?? "", error: each.reason }] : [],
    ),
  };
}
