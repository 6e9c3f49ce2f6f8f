import { createServer, type Server } from "node:http";
import { setImmediate } from "node:timers/promises";
import { listenPrivately, type Logger } from "@synthesis/kit";
import { linkMessageBytes, type Attach } from "@synthesis/protocol";
import { WebSocketServer } from "ws";
import type { WorkerConfiguration } from "../worker-configuration.ts";
import type { Workspace } from "../workspace.ts";
import { GatewayLink } from "./gateway-link.ts";
import { SessionApi } from "./session-api.ts";
import { TerminalServer } from "./terminal-server.ts";

/**
 * Where gateways connect to: a WebSocket listener on a Unix socket that only this user can open. Plain HTTP there is
 * the API of its sessions; WebSockets on other paths show the terminals of its agents.
 */
export class GatewayServer {
  readonly #configuration: WorkerConfiguration;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #terminals: TerminalServer;
  readonly #links = new Set<GatewayLink>();
  /** Gateways of generations below this one are dead. */
  #fence = 0;

  constructor(configuration: WorkerConfiguration, workspace: Workspace, log: Logger) {
    this.#configuration = configuration;
    const api = new SessionApi(workspace, log);
    this.#http = createServer((request, response) => void api.answer(request, response));
    const maxPayload = linkMessageBytes(configuration.limits.bodyBytes);
    this.#sockets = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });
    this.#terminals = new TerminalServer(workspace, log);
    const { workspace: name, epoch } = configuration;
    const onAttach = (attach: Attach) => this.#admit(attach);
    this.#http.on("upgrade", (request, duplex, head) => {
      if (this.#terminals.upgrade(request, duplex, head)) return;
      this.#sockets.handleUpgrade(request, duplex, head, (socket) => {
        const link = new GatewayLink({ socket, workspace, name, epoch, log, onAttach });
        this.#links.add(link);
        socket.on("close", () => this.#links.delete(link));
      });
    });
  }

  /** Tells every gateway until when (epoch ms) the account of the headless agents is held; undefined: not any more. */
  accountHeld(until: number | undefined): void {
    for (const link of this.#links) link.accountHeld(until);
  }

  async start(): Promise<void> {
    await listenPrivately(this.#http, this.#configuration.socketPath);
  }

  async close(): Promise<void> {
    await setImmediate(); // the ends of its turns, batched in this turn of the event loop, go out first
    for (const socket of this.#sockets.clients) socket.close(1001, "the worker closes");
    this.#terminals.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.close(() => resolve());
    this.#http.closeIdleConnections();
    const timer = setTimeout(() => this.#terminate(), CLOSE_HANDSHAKE_MS);
    await promise;
    clearTimeout(timer);
  }

  /** A turn that a dead gateway submitted and nobody read may have been submitted again by the next one. */
  #admit({ gateway, fence }: Attach): boolean {
    this.#fence = Math.max(this.#fence, fence);
    for (const link of this.#links) {
      if (link.generation > 0 && link.generation < this.#fence) link.fence();
    }
    return gateway >= this.#fence;
  }

  #terminate(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#terminals.terminate();
    this.#http.closeAllConnections();
  }
}

/** How long a gateway may take to answer the close handshake. */
const CLOSE_HANDSHAKE_MS = 500;
