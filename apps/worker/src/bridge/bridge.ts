import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import { WebSocketServer } from "ws";
import { closeHandshake } from "../web-socket/close-handshake.ts";
import { refuseUpgrade } from "../web-socket/refuse-upgrade.ts";
import { PluginConnection } from "./plugin-connection.ts";
import { PluginSeat, type SeatListener } from "./plugin-seat.ts";
import { WaitingRoom } from "./waiting-room.ts";

/** So many may be connected at once that are no WebSocket (yet); a plugin is one within milliseconds. */
const MAX_STRANGERS = 256;

/** So often within `helloMs` those are looked for whose time is over. */
const CHECKS = 4;

/** Where agent processes connect to: a WebSocket listener on loopback that knows each of them by its token. */
export class Bridge {
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #strangers = new WaitingRoom<Duplex>(MAX_STRANGERS, (socket) => socket.destroy());
  /** Seats by the SHA-256 of their token: a look-up in it takes no time that depends on the token. */
  readonly #seats = new Map<string, PluginSeat>();

  /** `onChange` is called whenever {@link connections} changes. */
  constructor(limits: Limits, log: Logger, onChange: () => void = () => {}) {
    this.#limits = limits;
    this.#log = log;
    this.#onChange = onChange;
    const { helloMs } = limits;
    const options = {
      headersTimeout: helloMs,
      requestTimeout: helloMs,
      connectionsCheckingInterval: Math.ceil(helloMs / CHECKS),
    };
    this.#http = createServer(options, (_request, response) => response.writeHead(404).end());
    this.#http.on("connection", (socket) => {
      this.#strangers.enter(socket);
      socket.once("close", () => this.#strangers.leave(socket));
    });
    this.#sockets = new WebSocketServer({
      ...closeHandshake,
      noServer: true,
      maxPayload: limits.frameBytes,
      maxFragments: 64,
      maxBufferedChunks: 1024,
      perMessageDeflate: false,
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#http.once("error", reject);
    this.#http.listen(0, "127.0.0.1", () => resolve());
    await promise;
  }

  get connections(): number {
    return this.#sockets.clients.size;
  }

  /** A place for one agent process; give `url` to that process only. */
  seat(sessionKey: string, listener: SeatListener): { seat: PluginSeat; url: string } {
    const seat = new PluginSeat(sessionKey, listener);
    this.#seats.set(digest(seat.token), seat);
    return { seat, url: `ws://${this.#host}/bridge?token=${seat.token}` };
  }

  /** The agent process is gone: its token is void. */
  vacate(seat: PluginSeat): void {
    this.#seats.delete(digest(seat.token));
    seat.close();
  }

  async close(): Promise<void> {
    for (const seat of this.#seats.values()) this.vacate(seat);
    for (const socket of this.#sockets.clients) socket.terminate();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.close(() => resolve());
    this.#http.closeAllConnections();
    await promise;
  }

  get #host(): string {
    return `127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Everything is decided before a WebSocket exists: path, Host, Origin, token. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const url = URL.parse(request.url ?? "", "ws://bridge");
    const seat = this.#seats.get(digest(url?.searchParams.get("token") ?? ""));
    const refusal = this.#refusal(request, url?.pathname, seat);
    if (refusal !== undefined || seat === undefined) {
      const status = refusal ?? "401 Unauthorized";
      this.#log.warn("bridge.refused", { status });
      return refuseUpgrade(socket, status);
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.once("close", () => {
        if (this.#http.listening) this.#onChange(); // a closed bridge's owner may be gone
      });
      this.#strangers.leave(socket);
      new PluginConnection({ socket: webSocket, seat, limits: this.#limits, log: this.#log });
      this.#onChange();
    });
  }

  #refusal(
    request: IncomingMessage,
    path: string | undefined,
    seat: PluginSeat | undefined,
  ): string | undefined {
    if (path !== "/bridge") return "404 Not Found";
    if (request.headers.host !== this.#host) return "421 Misdirected Request";
    if (request.headers.origin !== undefined) return "403 Forbidden";
    return seat === undefined ? "401 Unauthorized" : undefined;
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
