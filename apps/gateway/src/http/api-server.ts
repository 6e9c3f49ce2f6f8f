import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { hostInUrl } from "@synthesis/config";
import { WireFailure, type Endpoint } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import { getHealth } from "../routes/get-health.ts";
import { getModels } from "../routes/get-models.ts";
import { postChatCompletions } from "../routes/post-chat-completions.ts";
import type { GatewayParts, Route } from "../routes/route-context.ts";
import { EdgeGuard } from "./edge-guard.ts";
import { internalError } from "./internal-error.ts";
import { refuseUnreadable } from "./refuse-unreadable.ts";
import { listen } from "./listen.ts";
import { checkBody } from "./read-json.ts";
import { respondError, respondJson } from "./respond.ts";

/** Every path, with the methods it takes. */
const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  "/v1/chat/completions": { POST: postChatCompletions },
  "/chat/completions": { POST: postChatCompletions },
  "/v1/models": { GET: getModels },
  "/health": { GET: getHealth },
};

/** The HTTP edge: guards every request, finds its route, reports what it throws. */
export class ApiServer {
  readonly #parts: GatewayParts;
  readonly #http = createServer(
    {
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 16_384,
    },
    (request, response) => void this.#serve(request, response),
  );
  #guard: EdgeGuard | undefined;
  /** Requests that are being answered. */
  #answering = 0;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#http.maxConnections = parts.configuration.limits.connections;
    this.#http.maxHeadersCount = 100;
    this.#http.on("clientError", refuseUnreadable);
  }

  /** Listens; where. Rejects with an `UnusableError` where the address cannot be had. */
  async start(): Promise<Endpoint> {
    const { server, keys } = this.#parts.configuration;
    const port = await listen(this.#http, server);
    const named = hostInUrl(server.host);
    const own = [named, "127.0.0.1", "localhost", "[::1]"].flatMap((host) =>
      port === 80 ? [host, `${host}:80`] : [`${host}:${port}`],
    );
    const hosts = new Set([...own, ...server.allowedHosts].map((host) => host.toLowerCase()));
    this.#guard = new EdgeGuard({ keys, hosts });
    return { url: `http://${named}:${port}`, port };
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.close(() => resolve());
    this.#closeUnused();
    const timer = setTimeout(() => this.#http.closeAllConnections(), LAST_WORDS_MS);
    await promise;
    clearTimeout(timer);
  }

  /** Kept-alive connections, and those that never sent a request: Node does not count these as idle. */
  #closeUnused(): void {
    if (this.#answering === 0) this.#http.closeAllConnections();
    else this.#http.closeIdleConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("x-request-id", `req_${nanoid()}`);
    response.on("error", () => {}); // a client that left; `close` follows
    this.#answering++;
    response.once("close", () => {
      this.#answering--;
      if (!this.#http.listening) this.#closeUnused();
    });
    try {
      await this.#route(request, response);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const guard = this.#guard;
    if (guard === undefined)
      throw new WireFailure("shutting_down", "the gateway is starting", { retryAfterMs: 1_000 });
    guard.checkOrigin(request);
    const path = request.url?.split("?")[0] ?? "";
    const caller = guard.identify(request);
    if (path === "/health" && methodOf(request) === "GET" && caller === undefined)
      return respondJson(response, 200, { ok: true });
    const known = guard.demand(caller);
    const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (methods === undefined)
      throw new WireFailure("not_found", `there is no such path here: use ${Object.keys(routes).join(", ")}`);
    const method = methodOf(request);
    const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (route === undefined) {
      response.setHeader("allow", Object.keys(methods).join(", "));
      throw new WireFailure("method_not_allowed", `this path takes ${Object.keys(methods).join(", ")}`);
    }
    checkBody(request, this.#parts.configuration.limits.bodyBytes);
    await route({ request, response }, known, this.#parts);
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // What is left of the body would be read as the next request.
    if (!request.complete) response.setHeader("connection", "close");
    if (error instanceof WireFailure) return respondError(response, error.error);
    if (response.destroyed || request.destroyed) return; // it left while its body was being read
    respondError(response, internalError(error, this.#parts.log));
  }
}

/** How long the last answers may take to be read when the gateway closes. */
const LAST_WORDS_MS = 500;

/** HEAD is GET without a body, which Node leaves out. */
function methodOf({ method = "" }: IncomingMessage): string {
  return method === "HEAD" ? "GET" : method;
}
