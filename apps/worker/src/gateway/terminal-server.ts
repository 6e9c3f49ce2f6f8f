import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { jsonOf, type Logger } from "@synthesis/kit";
import { TerminalSize, WireFailure, type ControlError } from "@synthesis/protocol";
import { WebSocketServer, type WebSocket } from "ws";
import { Lease } from "../drivers/live/lease.ts";
import { closeHandshake } from "../web-socket/close-handshake.ts";
import { refuseUpgrade } from "../web-socket/refuse-upgrade.ts";
import type { TerminalChild } from "../terminal/terminal-child.ts";
import type { Workspace } from "../workspace.ts";

const SCREEN = /^\/sessions\/(?<id>[^/]+)\/terminal$/;
/** Keys pressed at once, or pasted. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** Of the screen, unread by who looks at it; above that it is cut off. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/**
 * The terminals of a workspace's agents, as WebSockets on its worker's socket. `/sessions/ID/terminal` shows the screen
 * of one: its bytes, first those that draw it as it is; with `?mode=take-over` what comes back are keys. `/live?agent=NAME`
 * makes a Claude, which whoever connects then starts, the agent called so till the connection ends.
 */
export class TerminalServer {
  readonly #workspace: Workspace;
  readonly #log: Logger;
  readonly #sockets: WebSocketServer;

  constructor(workspace: Workspace, log: Logger) {
    const options = {
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      ...closeHandshake,
    };
    this.#sockets = new WebSocketServer(options);
    this.#workspace = workspace;
    this.#log = log;
  }

  /** Takes the request over where it is for a terminal; false: it is not. A refusal's body is a `ControlError`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = URL.parse(request.url ?? "/", "http://worker");
    const id = SCREEN.exec(url?.pathname ?? "")?.groups?.["id"];
    if (url === null || (id === undefined && url.pathname !== "/live")) return false;
    const { searchParams } = url;
    const accept = (onOpen: (webSocket: WebSocket) => void) =>
      this.#sockets.handleUpgrade(request, socket, head, onOpen);
    try {
      if (id === undefined) {
        const agent = searchParams.get("agent") ?? "";
        this.#workspace.liveClaudes.check(agent);
        accept((webSocket) => this.#workspace.liveClaudes.add(agent, new Lease(webSocket)));
      } else {
        const terminal = this.#workspace.terminal(id);
        const mode = searchParams.get("mode") === "take-over" ? "take-over" : "watch";
        this.#log.info("terminal.attached", { session: id, mode });
        accept((webSocket) => show(terminal, webSocket, mode));
      }
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      refuseUpgrade(socket, "409 Conflict", { error: error.error } satisfies ControlError);
    }
    return true;
  }

  /** Ends every connection. */
  close(): void {
    for (const socket of this.#sockets.clients) socket.close(1001, "the worker closes");
  }

  /** At once. */
  terminate(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }
}

function show(terminal: TerminalChild, socket: WebSocket, mode: "watch" | "take-over"): void {
  const send = (data: Buffer | string) => {
    socket.send(data);
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate();
  };
  const tellSize = (size: { cols: number; rows: number }) =>
    send(JSON.stringify({ type: "size", ...size } satisfies TerminalSize));
  const { snapshot, stop } = terminal.watch({
    onDrawn: send,
    onResized: tellSize,
    onEnded: ({ message }) => socket.close(1000, message.slice(0, 40)),
  });
  tellSize(terminal.size);
  send(Buffer.from(snapshot));
  socket.on("message", (data: Buffer, isBinary) => {
    if (mode === "watch") return socket.terminate();
    if (isBinary) return terminal.press(data.toString("utf8"));
    const size = TerminalSize.safeParse(jsonOf(data.toString("utf8")));
    if (size.success) terminal.resize(size.data);
    else socket.terminate();
  });
  socket.on("error", () => socket.terminate());
  socket.once("close", stop);
}
