import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { listenPrivately, type Logger } from "@synthesis/kit";
import {
  EnsureRequest,
  GatewayRestartRequest,
  LocateFileRequest,
  RestartRequest,
  StopRequest,
  WireFailure,
  type LocateFileAnswer,
  type StatusAnswer,
  type StopAnswer,
} from "@synthesis/protocol";
import type * as z from "zod";
import type { GatewayHost } from "./gateway-host.ts";
import type { Workspaces } from "./workspaces.ts";

export interface ControlApiOptions {
  readonly workspaces: Workspaces;
  readonly gateway: GatewayHost;
  /** How long running turns may go on where a request does not say, in ms. */
  readonly drainMs: number;
  readonly log: Logger;
  /** Everything is to be stopped, with so much time for running turns. */
  onStop(drainMs: number): void;
}

/** The supervisor's API for the gateway and the CLI: HTTP on a Unix socket that only this user can open. */
export class ControlApi {
  readonly #options: ControlApiOptions;
  readonly #http = createServer((request, response) => void this.#answer(request, response));

  constructor(options: ControlApiOptions) {
    this.#options = options;
  }

  async start(socketPath: string): Promise<void> {
    await listenPrivately(this.#http, socketPath);
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.close(() => resolve());
    this.#http.closeAllConnections();
    await promise;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      respond(response, 200, await this.#route(request));
    } catch (error) {
      if (error instanceof WireFailure) return respond(response, 409, { error: error.error });
      this.#options.log.error("control.failed", { error: String(error) });
      respond(response, 500, {
        error: { code: "internal_error", message: "the supervisor failed: see its log" },
      });
    }
  }

  async #route(request: IncomingMessage): Promise<object> {
    const { workspaces, gateway, drainMs } = this.#options;
    switch (`${request.method} ${request.url}`) {
      case "POST /v1/workspaces/ensure": {
        const { workspace } = await parse(EnsureRequest, request);
        return workspaces.ensure(workspace);
      }
      case "POST /v1/workspaces/restart": {
        const asked = await parse(RestartRequest, request);
        return workspaces.restart(asked.workspace, asked.drainMs ?? drainMs);
      }
      case "POST /v1/files/locate": {
        const { file } = await parse(LocateFileRequest, request);
        return { workspace: await workspaces.locateFile(file) } satisfies LocateFileAnswer;
      }
      case "POST /v1/gateway/restart": {
        const asked = await parse(GatewayRestartRequest, request);
        return gateway.restart(asked.drainMs ?? drainMs);
      }
      case "POST /v1/stop": {
        const asked = await parse(StopRequest, request);
        const allowedMs = asked.drainMs ?? drainMs;
        this.#options.onStop(allowedMs);
        return { turns: workspaces.turns, drainMs: allowedMs } satisfies StopAnswer;
      }
      case "GET /v1/status": {
        const report = gateway.report();
        return {
          ...(report === undefined ? {} : { gateway: report }),
          workers: workspaces.report(),
        } satisfies StatusAnswer;
      }
      default:
        throw new WireFailure("not_found", `the control socket has no ${request.method} ${request.url}`);
    }
  }
}

async function parse<Schema extends z.ZodType>(
  schema: Schema,
  request: IncomingMessage,
): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse(await json(request).catch(() => undefined));
  if (parsed.success) return parsed.data;
  const message =
    "workspace must be a name or path of at most 4096 characters, drainMs a whole number of milliseconds up to a week, file the id of a file";
  throw new WireFailure("invalid_request", message);
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
