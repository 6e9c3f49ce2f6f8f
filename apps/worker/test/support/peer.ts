import type { IncomingMessage } from "node:http";
import { WebSocket, type ClientOptions } from "ws";

export interface PeerClose {
  readonly code: number;
  readonly reason: string;
}
type Frame = Readonly<Record<string, unknown>> & { readonly type: string };

/** A WebSocket client that keeps every frame and lets a test wait for one, for the close, or for the refusal. */
export class Peer implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<PeerClose>;
  readonly #opened: Promise<number | undefined>;
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, { autoPong: true, ...options });
    this.socket.on("error", () => {}); // shows as its close
    this.socket.on("message", (data: Buffer) => this.#receive(data.toString("utf8")));
    const closed = Promise.withResolvers<PeerClose>();
    this.closed = closed.promise;
    const opened = Promise.withResolvers<number | undefined>();
    this.#opened = opened.promise;
    this.socket.on("open", () => opened.resolve(undefined));
    this.socket.on("unexpected-response", (_request, response: IncomingMessage) => {
      opened.resolve(response.statusCode);
      response.resume();
      this.socket.terminate();
    });
    this.socket.on("close", (code, reason) => {
      this.#isClosed = true;
      closed.resolve({ code, reason: String(reason) });
      this.#announce();
    });
  }

  /** Resolves when the WebSocket is open, with the HTTP status where it was refused. */
  get opened(): Promise<number | undefined> {
    return this.#opened;
  }

  /** Sends a frame, or a string or bytes as they are. */
  send(message: object | string | Buffer): void {
    this.socket.send(
      typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  /** The `count`-th frame of this type, as soon as it is there; rejects when the socket closes before. */
  async next(type: string, count = 1): Promise<Frame> {
    for (;;) {
      const found = this.frames.filter((frame) => frame.type === type)[count - 1];
      if (found) return found;
      if (this.#isClosed) throw new Error(`closed without ${type}: ${JSON.stringify(this.frames)}`);
      await this.#changed.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  #receive(text: string): void {
    const value: Frame | Frame[] = JSON.parse(text);
    this.frames.push(...(Array.isArray(value) ? value : [value]));
    this.#announce();
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
