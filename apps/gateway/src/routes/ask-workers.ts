import type { IncomingMessage } from "node:http";
import { withDeadline } from "@synthesis/kit";
import type { GatewayParts } from "./route-context.ts";

export interface WorkersAnswers<T> {
  readonly answers: readonly T[];
  /** Who did not answer, and why. */
  readonly failures: readonly { readonly workspace: string; readonly error: unknown }[];
}

/** How long a worker may take when every one is asked; one that is being started may take longer. In ms. */
const ANSWER_MS = 10_000;

/**
 * Asks the workspace that `?workspace=` names, which starts its worker, or else every one that has a worker now;
 * `ask` is given what to ask the worker pool for. Rejects where the named one does not answer.
 */
export async function askWorkers<T>(
  { url = "/" }: IncomingMessage,
  { supervisor }: GatewayParts,
  ask: (workspace: string) => Promise<T>,
): Promise<WorkersAnswers<T>> {
  const named = new URL(url, "http://gateway").searchParams.get("workspace");
  if (named !== null) return { answers: [await ask(named)], failures: [] };
  const { workers: running } = await supervisor.status();
  const settled = await Promise.allSettled(
    // By path: the name of a folder below one of `roots` is none that it can be asked for by.
    running.map(async ({ path }) => withDeadline(ask(path), ANSWER_MS, "no answer")),
  );
  return {
    answers: settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
    failures: settled.flatMap((each, index) =>
      each.status === "rejected" ? [{ workspace: running[index]?.workspace ?? "", error: each.reason }] : [],
    ),
  };
}
