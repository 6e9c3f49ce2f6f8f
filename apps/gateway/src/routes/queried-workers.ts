import type { IncomingMessage } from "node:http";
import { QueriedWorkers, type WorkersAnswers } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";

/** What is looked for by its id. */
type Subject = "ask" | "session" | "turn";

/** The workers that a request is about: that of the workspace that `?workspace=` names, or every one that there is now. */
export function queriedWorkers<Worker>(
  { url = "/" }: IncomingMessage,
  { supervisor }: GatewayParts,
  connect: (asked: string) => Promise<Worker>,
): QueriedWorkers<Worker> {
  return new QueriedWorkers({
    named: new URL(url, "http://gateway").searchParams.get("workspace") ?? undefined,
    running: async () => (await supervisor.status()).workers,
    connect,
  });
}

/** Why none of the workers that were queried has it. */
export function notFound(subject: Subject, { failures }: WorkersAnswers<unknown>): WireFailure {
  const [failure] = failures;
  if (failure === undefined) {
    const message = `no workspace that was asked knows a${subject === "ask" ? "n" : ""} ${subject} of this API key with this id: ?workspace= asks one that is not at work`;
    return new WireFailure(`${subject}_not_found`, message);
  }
  const { workspace, error: cause } = failure;
  const message = `the worker of workspace "${workspace}" does not answer, and may have the ${subject}: try again in a moment`;
  return new WireFailure("worker_unavailable", message, { retryAfterMs: 1_000, cause });
}
