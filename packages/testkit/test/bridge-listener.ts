import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { decodeFrames, PluginFrame } from "@synthesis/protocol";
import { eventually } from "../src/index.ts";

/** One plugin connection: what it sent, each frame checked against the protocol. */
export class BridgeConnection {
  readonly frames: PluginFrame[] = [];
  readonly #socket: Duplex;
  #rest = Buffer.alloc(0);

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => this.#read(data));
  }

  send(frame: object): void {
    const text = Buffer.from(JSON.stringify(frame));
    this.#socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text])); // below 126 bytes only
  }

  close(code: number): void {
    this.#socket.write(Buffer.from([0x88, 2, code >> 8, code & 0xff]));
    this.#socket.end();
  }

  async frame(index: number): Promise<PluginFrame> {
    return eventually(() => this.frames[index] ?? Promise.reject(new Error(`no frame ${index}`)));
  }

  /** The replies' text, once the last one has come. */
  async answer(): Promise<string> {
    return eventually(() => {
      const replies = this.frames.filter((frame) => frame.type === "reply");
      if (replies.at(-1)?.final === false || replies.length === 0) throw new Error("no final reply");
      return replies.map(({ content }) => content).join("");
    });
  }

  // Client frames are masked and, in these tests, shorter than 126 bytes.
  #read(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data]);
    for (;;) {
      const [head = 0, length = 0] = this.#rest;
      const size = 6 + (length & 0x7f);
      if (this.#rest.length < size) return;
      const mask = this.#rest.subarray(2, 6);
      const payload = this.#rest.subarray(6, size).map((byte, index) => byte ^ mask[index % 4]!);
      this.#rest = this.#rest.subarray(size);
      if ((head & 0x0f) !== 1) continue;
      const decoded = decodeFrames(PluginFrame, Buffer.from(payload).toString());
      if (!decoded.ok) throw new Error(decoded.message);
      this.frames.push(...decoded.frames);
    }
  }
}

/** A bridge of a few lines, without any rule: tests play the worker's part by hand. */
export class BridgeListener implements AsyncDisposable {
  readonly connections: BridgeConnection[] = [];
  readonly #server: Server = createServer();
  readonly #sockets: Duplex[] = [];

  static async start(): Promise<BridgeListener> {
    const listener = new BridgeListener();
    listener.#server.on("upgrade", (request, socket) => {
      const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash("sha1").update(key).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      listener.#sockets.push(socket);
      listener.connections.push(new BridgeConnection(socket));
    });
    listener.#server.listen(0, "127.0.0.1");
    await once(listener.#server, "listening");
    return listener;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("closed");
    return `ws://127.0.0.1:${address.port}/bridge?token=t`;
  }

  async connection(index: number): Promise<BridgeConnection> {
    return eventually(() => this.connections[index] ?? Promise.reject(new Error(`no connection ${index}`)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}
