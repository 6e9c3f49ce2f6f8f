import type { SessionClient } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { Caller } from "../http/edge-guard.ts";
import { askWorkers } from "./ask-workers.ts";
import { callerSessions } from "./caller-sessions.ts";
import type { Exchange, GatewayParts } from "./route-context.ts";

/** What came of it at the worker that knows the ask. */
type Outcome<T> =
  | { readonly type: "done"; readonly workspace: string; readonly value: T }
  | { readonly type: "refused"; readonly failure: WireFailure };

/**
 * Does something with the ask that a path names, at the worker that knows it as one of the caller's. Rejects with that
 * worker's refusal, with `ask_not_found` where none knows it, and with why it may have been overlooked.
 */
export async function atAsk<T>(
  exchange: Exchange,
  caller: Caller,
  parts: GatewayParts,
  act: (client: SessionClient, id: string) => Promise<T>,
): Promise<{ readonly workspace: string; readonly value: T }> {
  const id = exchange.params["id"] ?? "";
  const { answers, failures } = await askWorkers(exchange.request, parts, async (asked) => {
    const { workspace, client } = await callerSessions(asked, caller, parts);
    return outcomeOf(workspace, act(client, id));
  });
  const outcome = answers.find((answer) => answer !== undefined);
  if (outcome?.type === "done") return outcome;
  if (outcome?.type === "refused") throw outcome.failure;
  const [failure] = failures;
  if (failure !== undefined) {
    const message = `the worker of workspace "${failure.workspace}" does not answer, and may have the ask: try again in a moment`;
    throw new WireFailure("worker_unavailable", message, { retryAfterMs: 1_000, cause: failure.error });
  }
  throw new WireFailure(
    "ask_not_found",
    "no workspace that was asked knows an ask of this API key with this id: ?workspace= asks one that is not at work",
  );
}

/** Undefined: this worker does not know the ask. Rejects where nobody knows whether it does. */
async function outcomeOf<T>(workspace: string, acting: Promise<T>): Promise<Outcome<T> | undefined> {
  try {
    return { type: "done", workspace, value: await acting };
  } catch (error) {
    if (!(error instanceof WireFailure) || error.error.code === "worker_unavailable") throw error;
    return error.error.code === "ask_not_found" ? undefined : { type: "refused", failure: error };
  }
}
