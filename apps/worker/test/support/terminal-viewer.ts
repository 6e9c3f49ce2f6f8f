import { once } from "node:events";
import { json } from "node:stream/consumers";
import { WebSocket } from "ws";

/** Somebody who looks at a terminal over the worker's socket. */
export class TerminalViewer implements AsyncDisposable {
  readonly socket: WebSocket;
  /** What was drawn. */
  drawn = "";
  /** The sizes that were told, as JSON. */
  readonly told: unknown[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) this.drawn += data.toString("utf8");
      else this.told.push(JSON.parse(data.toString("utf8")));
    });
    const { promise, resolve } = Promise.withResolvers<Awaited<TerminalViewer["closed"]>>();
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    this.closed = promise;
  }

  static async open(url: string): Promise<TerminalViewer> {
    const socket = new WebSocket(url);
    const viewer = new TerminalViewer(socket);
    await once(socket, "open");
    return viewer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

/** What the worker's socket answers who may not connect. */
export async function refusalOf(url: string): Promise<unknown> {
  const socket = new WebSocket(url);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.on("error", () => {});
  socket.once("unexpected-response", (_request, response) => resolve(json(response)));
  socket.once("open", () => resolve("open"));
  try {
    return await promise;
  } finally {
    socket.terminate();
  }
}
