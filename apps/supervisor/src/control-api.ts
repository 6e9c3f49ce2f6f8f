import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { listenPrivately, type Logger } from "@synthesis/kit";
import { EnsureRequest, WireFailure } from "@synthesis/protocol";
import type { Workspaces } from "./workspaces.ts";

/** The supervisor's API for the gateway and the CLI: HTTP on a Unix socket that only this user can open. */
export class ControlApi {
  readonly #workspaces: Workspaces;
  readonly #log: Logger;
  readonly #http = createServer((request, response) => void this.#answer(request, response));

  constructor(workspaces: Workspaces, log: Logger) {
    this.#workspaces = workspaces;
    this.#log = log;
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
      this.#log.error("control.failed", { error: String(error) });
      respond(response, 500, {
        error: { code: "internal_error", message: "the supervisor failed: see its log" },
      });
    }
  }

  async #route(request: IncomingMessage): Promise<object> {
    switch (`${request.method} ${request.url}`) {
      case "POST /v1/workspaces/ensure": {
        const parsed = EnsureRequest.safeParse(await json(request).catch(() => undefined));
        if (!parsed.success)
          throw new WireFailure("invalid_request", "the workspace must be named, in at most 4096 characters");
        return this.#workspaces.ensure(parsed.data.workspace);
      }
      case "GET /v1/status":
        return this.#workspaces.status();
      default:
        throw new WireFailure("not_found", `the control socket has no ${request.method} ${request.url}`);
    }
  }
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
