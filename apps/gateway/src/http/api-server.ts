import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Server } from "node:net";
import { hostInUrl } from "@synthesis/config";
import { abortable, handleOf, type ListeningHandle } from "@synthesis/kit";
import { WireFailure, type Endpoint } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import { isMessagesPath, respondMessagesError } from "../messages/error-answer.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import { EdgeGuard } from "./edge-guard.ts";
import { internalError } from "./internal-error.ts";
import { refuseUnreadable } from "./refuse-unreadable.ts";
import { listen } from "./listen.ts";
import { checkBody } from "./read-json.ts";
import { respondError, respondJson } from "./respond.ts";
import { linkOf, routeOf } from "./router.ts";

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
  readonly #closed = Promise.withResolvers<void>();
  #guard: EdgeGuard | undefined;
  #state: "open" | "draining" | "closing" = "open";
  #made: ListeningHandle | undefined;
  /** Requests that are being answered. */
  #answering = 0;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#http.maxConnections = parts.configuration.limits.connections;
    this.#http.maxHeadersCount = 100;
    this.#http.on("clientError", refuseUnreadable);
  }

  /** The socket that it made itself and listens on, for its successors. */
  get listening(): ListeningHandle | undefined {
    return this.#made;
  }

  /**
   * Listens, on the socket of an earlier gateway where one is `inherited`; where. Rejects with an
   * `UnusableError` where the address cannot be had.
   */
  async start(inherited?: ListeningHandle): Promise<Endpoint> {
    const { server, keys } = this.#parts.configuration;
    const port = await listen(this.#http, server, inherited);
    if (inherited === undefined) this.#made = handleOf(this.#http);
    const named = hostInUrl(server.host);
    const own = [named, "127.0.0.1", "localhost", "[::1]"].flatMap((host) =>
      port === 80 ? [host, `${host}:80`] : [`${host}:${port}`],
    );
    const isPublic = server.publicUrl === undefined ? [] : [new URL(server.publicUrl).host];
    const hosts = new Set([...own, ...isPublic, ...server.allowedHosts].map((host) => host.toLowerCase()));
    this.#guard = new EdgeGuard({ keys, hosts });
    return { url: `http://${named}:${port}`, port };
  }

  /**
   * Takes no new connection; resolves when those that are open have ended. What still comes on them is answered,
   * and told to use another next time: whoever keeps one alive may be writing into it this moment.
   */
  async drain(): Promise<void> {
    this.stopListening();
    await this.#closed.promise;
  }

  /** Takes no new connection; those that are open go on. */
  stopListening(): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    // Not that of http.Server, which hangs up on idle connections.
    Server.prototype.close.call(this.#http, () => this.#closed.resolve());
  }

  /** Takes no new connection, lets what is being answered end within half a second, then hangs up. */
  async close(): Promise<void> {
    this.stopListening();
    this.#state = "closing";
    this.#http.close(); // it looks for overdue requests no more
    this.#closeUnused();
    const timer = setTimeout(() => this.#http.closeAllConnections(), LAST_WORDS_MS);
    await this.#closed.promise;
    clearTimeout(timer);
  }

  /** Kept-alive connections, and those that never sent a request: Node does not count these as idle. */
  #closeUnused(): void {
    if (this.#answering === 0) this.#http.closeAllConnections();
    else this.#http.closeIdleConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("x-request-id", `req_${nanoid()}`);
    if (this.#state !== "open") response.setHeader("connection", "close");
    response.on("error", () => {}); // a client that left; `close` follows
    this.#answering++;
    response.once("close", () => {
      this.#answering--;
      if (this.#state === "closing") this.#closeUnused();
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
    const link = linkOf(pathOf(request), methodOf(request));
    if (link === undefined) return this.#routeCall(guard, request, response);
    const { route, params } = link;
    await this.#answer(request, async () => route.follow({ request, response, params }, this.#parts));
  }

  /** What is no link. */
  async #routeCall(guard: EdgeGuard, request: IncomingMessage, response: ServerResponse): Promise<void> {
    guard.checkSite(request);
    const path = pathOf(request);
    const caller = guard.identify(request);
    if (path === "/health" && methodOf(request) === "GET" && caller === undefined)
      return respondJson(response, 200, { ok: true });
    const known = guard.demand(caller);
    const { route, params } = routeOf(path, methodOf(request), (allowed) =>
      response.setHeader("allow", allowed),
    );
    await this.#answer(request, async () => route({ request, response, params }, known, this.#parts));
  }

  async #answer(request: IncomingMessage, answer: () => Promise<void>): Promise<void> {
    const { closing, configuration } = this.#parts;
    checkBody(request, configuration.limits.bodyBytes);
    closing.throwIfAborted();
    await abortable(answer(), closing);
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // What is left of the body would be read as the next request.
    if (!request.complete) response.setHeader("connection", "close");
    const respond = isMessagesPath(pathOf(request)) ? respondMessagesError : respondError;
    if (error instanceof WireFailure) return respond(response, error.error);
    if (response.destroyed || request.destroyed) return; // it left while its body was being read
    respond(response, internalError(error, this.#parts.log));
  }
}

/** How long the last answers may take to be read when the gateway closes. */
const LAST_WORDS_MS = 500;

function pathOf({ url = "" }: IncomingMessage): string {
  return url.split("?")[0] ?? "";
}

/** HEAD is GET without a body, which Node leaves out. */
function methodOf({ method = "" }: IncomingMessage): string {
  return method === "HEAD" ? "GET" : method;
}
