import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Logger } from "@synthesis/kit";
import {
  WireFailure,
  type ControlError,
  type ErrorCode,
  type SessionDetail,
  type SessionList,
} from "@synthesis/protocol";
import type { Workspace } from "../workspace.ts";
import { answerAboutAsks } from "./ask-routes.ts";
import { answerWithFile } from "./file-route.ts";

/** Who reads nothing of an export or a file for so long is cut off, in ms; a person may look at it in a pager. */
const UNREAD_MS = 600_000;
const PATH = /^\/sessions(?:\/(?<id>[^/]+)(?<part>\/export)?)?$/;

const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_request: 400,
  ask_not_yours: 403,
  ask_not_found: 404,
  file_not_found: 404,
};

/**
 * The sessions of a workspace, for the gateway and the CLI: `GET /sessions`, `GET` and `DELETE /sessions/:id`,
 * `GET /sessions/:id/export`; what is asked in them (`ask-routes.ts`); and the files that came of them
 * (`file-route.ts`). `?caller=` narrows each but the last to the sessions of one API key, by its hash. An error is a
 * `ControlError`, with status 500 where the worker is at fault, else 409 or what {@link statuses} says.
 */
export class SessionApi {
  readonly #workspace: Workspace;
  readonly #log: Logger;

  constructor(workspace: Workspace, log: Logger) {
    this.#workspace = workspace;
    this.#log = log;
  }

  /** Never rejects. An answer that cannot be finished is cut, so that nobody takes it for the whole. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) {
        this.#log.warn("session_api.cut", { error: String(error) }); // the pipeline has destroyed it
      } else if (error instanceof WireFailure) {
        respond(response, statuses[error.error.code] ?? 409, { error: error.error } satisfies ControlError);
      } else {
        this.#log.error("session_api.failed", { error: String(error) });
        const message = "the workspace's worker failed: see its log";
        respond(response, 500, { error: { code: "internal_error", message } } satisfies ControlError);
      }
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers } = request;
    const url = new URL(request.url ?? "/", "http://worker");
    const { pathname, searchParams } = url;
    const asked = await answerAboutAsks(this.#workspace, request, url);
    if (asked !== undefined) return respond(response, 200, asked);
    const { files } = this.#workspace;
    if (await answerWithFile(files, { method, headers, pathname }, response, UNREAD_MS)) return;
    const caller = searchParams.get("caller") ?? undefined;
    const { id, part } = PATH.exec(pathname)?.groups ?? {};
    if (method === "GET" && pathname === "/sessions") {
      const sessions = [...this.#workspace.sessions(caller)];
      return respond(response, 200, { sessions } satisfies SessionList);
    }
    if (method === "GET" && id !== undefined && part === undefined)
      return respond(response, 200, this.#workspace.session(id, caller) satisfies SessionDetail);
    if (method === "DELETE" && id !== undefined && part === undefined) {
      await this.#workspace.endSession(id, caller);
      return respond(response, 200, {});
    }
    if (method === "GET" && id !== undefined) return this.#export(id, caller, response);
    throw new WireFailure("not_found", `the worker's socket has no ${method} ${pathname}`);
  }

  async #export(id: string, caller: string | undefined, response: ServerResponse): Promise<void> {
    const lines = await this.#workspace.exportSession(id, caller);
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.setTimeout(UNREAD_MS, () => response.destroy());
    await pipeline(Readable.from(lines, { objectMode: false }), response);
  }
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
