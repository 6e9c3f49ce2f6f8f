import { request } from "node:http";
import { json } from "node:stream/consumers";
import { ConfigError, controlSocketPath, type Locations } from "@synthesis/config";
import {
  ControlError,
  EnsureAnswer,
  GatewayRestartAnswer,
  RestartAnswer,
  StatusAnswer,
  StopAnswer,
  WireFailure,
} from "@synthesis/protocol";
import type * as z from "zod";

/** How long the supervisor may take to answer what it can answer at once, in ms. */
const ANSWER_MS = 5_000;
/** How long it may take where a worker is started first, the limit for which may be raised, in ms. */
const ENSURE_MS = 120_000;

/** No instance runs with these folders. */
export class NotRunningError extends ConfigError {}

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
  /** Gives the question up. */
  readonly signal?: AbortSignal;
}

/**
 * The control socket of a running instance, from the CLI's side. Each question rejects with a `NotRunningError`
 * where none runs, and with the `WireFailure` that the supervisor answers.
 */
export class ControlClient {
  readonly #socketPath: string;
  readonly #stateDir: string;

  constructor({ runtimeDir, stateDir }: Locations) {
    this.#socketPath = controlSocketPath(runtimeDir);
    this.#stateDir = stateDir;
  }

  async status(): Promise<StatusAnswer> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return this.#ask(StatusAnswer, { method: "GET", path: "/v1/status", signal });
  }

  /** Where a workspace is served; its worker is started where none runs. */
  async ensure(workspace: string): Promise<EnsureAnswer> {
    const signal = AbortSignal.timeout(ENSURE_MS);
    const [path, body] = ["/v1/workspaces/ensure", { workspace }];
    return this.#ask(EnsureAnswer, { method: "POST", path, body, signal });
  }

  /** Takes as long as the drain and the new worker's start do. */
  async restartWorkspace(
    workspace: string,
    drainMs: number | undefined,
    signal: AbortSignal,
  ): Promise<RestartAnswer> {
    const body = { workspace, drainMs };
    return this.#ask(RestartAnswer, { method: "POST", path: "/v1/workspaces/restart", body, signal });
  }

  /** Takes as long as the new gateway's start and the drain of the old one do. */
  async restartGateway(drainMs: number | undefined, signal: AbortSignal): Promise<GatewayRestartAnswer> {
    const body = { drainMs };
    return this.#ask(GatewayRestartAnswer, { method: "POST", path: "/v1/gateway/restart", body, signal });
  }

  /** Answered when it has begun. */
  async stop(drainMs: number | undefined): Promise<StopAnswer> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return this.#ask(StopAnswer, { method: "POST", path: "/v1/stop", body: { drainMs }, signal });
  }

  async #ask<Schema extends z.ZodType>(schema: Schema, question: Question): Promise<z.infer<Schema>> {
    const { status, body } = await this.#send(question).catch((cause: unknown) => {
      throw question.signal?.aborted ? this.#silent(cause) : this.#notRunning(cause);
    });
    if (status === 200) return schema.parse(body);
    throw WireFailure.from(ControlError.parse(body).error);
  }

  async #send({ method, path, body, signal }: Question): Promise<{ status: number; body: unknown }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: unknown }>();
    const asking = request(
      { socketPath: this.#socketPath, method, path, ...(signal === undefined ? {} : { signal }) },
      (response) => {
        json(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      },
    );
    asking.once("error", reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  #notRunning(cause: unknown): NotRunningError {
    return new NotRunningError(
      `no Synthesis runs with the state folder ${this.#stateDir}: start it with \`synthesis up\``,
      { cause },
    );
  }

  #silent(cause: unknown): ConfigError {
    return new ConfigError(
      `the Synthesis with the state folder ${this.#stateDir} does not answer: look at its log, or stop it by Ctrl-C`,
      { cause },
    );
  }
}
