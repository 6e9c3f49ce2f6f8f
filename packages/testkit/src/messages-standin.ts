import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { anthropicError } from "./anthropic-error.ts";
import { sendJson, type Exchange } from "./exchange.ts";
import { playReply } from "./play-reply.ts";
import { RecordedRequest, type MessagesBody } from "./recorded-request.ts";
import { reply } from "./reply.ts";
import type { ScriptedReply } from "./scripted-reply.ts";

/** Decides how a conversation request is answered. */
export type ReplyScript = (request: RecordedRequest) => ScriptedReply;

/**
 * A stand-in for Anthropic's Messages API on loopback. It answers `POST /v1/messages` (streamed or whole)
 * as scripted, by default with `standin says: <last user text>`, and `/v1/messages/count_tokens`.
 */
export class MessagesStandIn {
  readonly #server: Server;
  readonly #requests: RecordedRequest[] = [];
  readonly #queued: ScriptedReply[] = [];
  #script: ReplyScript = (request) => reply.text(`standin says: ${request.userText}`);
  #arrival = Promise.withResolvers<RecordedRequest>();
  #closing: Promise<void> | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  /** Listens on 127.0.0.1, on a free port where none is given. */
  static async start(options: { readonly port?: number } = {}): Promise<MessagesStandIn> {
    const server = createServer();
    const standIn = new MessagesStandIn(server);
    server.listen(options.port ?? 0, "127.0.0.1");
    await once(server, "listening");
    return standIn;
  }

  /** What `ANTHROPIC_BASE_URL` has to be. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the stand-in is closed");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Every request so far, side requests included. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests;
  }

  /** The requests so far that belong to a conversation. */
  get conversations(): readonly RecordedRequest[] {
    return this.#requests.filter((request) => request.isConversation);
  }

  /** How conversation requests are answered from now on, where no reply is queued. */
  script(script: ReplyScript): void {
    this.#script = script;
  }

  /** Queues replies for the next conversation requests, one each; a retry counts as a request. */
  next(...replies: readonly ScriptedReply[]): void {
    this.#queued.push(...replies);
  }

  /** The next conversation request to arrive after this call. */
  nextRequest(): Promise<RecordedRequest> {
    return this.#arrival.promise;
  }

  /** Ends every answer and the listener. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const aborted = Promise.withResolvers<void>();
    let isOurs = false;
    const cut = () => {
      isOurs = true;
      response.destroy();
    };
    response.once("close", () => {
      gone.abort();
      if (!response.writableEnded && !isOurs && this.#closing === undefined) aborted.resolve();
    });
    const path = new URL(incoming.url ?? "/", "http://standin").pathname;
    const body: MessagesBody = incoming.method === "POST" ? JSON.parse(await text(incoming)) : {};
    const request = new RecordedRequest(incoming.method ?? "", path, incoming.headers, body, aborted.promise);
    const number = this.#requests.push(request);
    await this.#route({ request, response, number, signal: gone.signal, cut });
  }

  async #route(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    if (request.isConversation) {
      this.#arrival.resolve(request);
      this.#arrival = Promise.withResolvers<RecordedRequest>();
      await playReply(this.#queued.shift() ?? this.#script(request), exchange);
    } else if (request.path === "/v1/messages") await playReply(reply.text("ok"), exchange);
    else if (request.path === "/v1/messages/count_tokens") sendJson(exchange, 200, { input_tokens: 12 });
    else if (request.method === "HEAD") exchange.response.writeHead(200).end();
    else sendJson(exchange, 404, anthropicError(404));
  }
}
