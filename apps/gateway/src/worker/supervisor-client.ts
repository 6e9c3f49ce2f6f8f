import { ControlError, EnsureAnswer, LocateFileAnswer, StatusAnswer, WireFailure } from "@synthesis/protocol";
import { Pool } from "undici";
import type * as z from "zod";

/** How much longer than the drain of one worker and the start of the next an answer may take. */
const MARGIN_MS = 5_000;
const RETRY_AFTER_MS = 2_000;

/** The supervisor's control API, from the gateway's side. */
export class SupervisorClient {
  readonly #pool: Pool;

  constructor(
    socketPath: string,
    { drainMs, startMs }: { readonly drainMs: number; readonly startMs: number },
  ) {
    const headersTimeout = drainMs + startMs + MARGIN_MS;
    // A connection per question: a worker that is slow to start holds up nobody's but its own.
    this.#pool = new Pool("http://supervisor", {
      socketPath,
      headersTimeout,
      bodyTimeout: headersTimeout,
      connections: null,
      pipelining: 1,
    });
  }

  /** Sees that a workspace is served. Rejects with a `WireFailure`. */
  async ensure(workspace: string): Promise<EnsureAnswer> {
    return this.#ask(EnsureAnswer, "POST", "/v1/workspaces/ensure", { workspace });
  }

  /** By what the workspace that has this file can be asked for. Rejects with a `WireFailure`. */
  async locateFile(file: string): Promise<string> {
    return (await this.#ask(LocateFileAnswer, "POST", "/v1/files/locate", { file })).workspace;
  }

  async status(): Promise<StatusAnswer> {
    return this.#ask(StatusAnswer, "GET", "/v1/status");
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #ask<Schema extends z.ZodType>(
    schema: Schema,
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<z.infer<Schema>> {
    let status: number;
    let answer: unknown;
    try {
      const response = await this.#pool.request({
        method,
        path,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      status = response.statusCode;
      answer = await response.body.json();
    } catch (cause) {
      throw new WireFailure("worker_unavailable", "the supervisor does not answer: try again in a moment", {
        retryAfterMs: RETRY_AFTER_MS,
        cause,
      });
    }
    if (status === 200) return schema.parse(answer);
    throw WireFailure.from(ControlError.parse(answer).error);
  }
}
