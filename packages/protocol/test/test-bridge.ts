import { once } from "node:events";
import { type WebSocket, WebSocketServer } from "ws";
import * as z from "zod";

/** A frame as it arrived, before any schema. */
const RawFrame = z.looseObject({ type: z.string() });
export type RawFrame = z.infer<typeof RawFrame>;

/** One accepted connection, with what it said in the order it said it. */
export class Peer {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly #arrived: RawFrame[] = [];
  #wake: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, "close").then(([code]) => Number(code));
    socket.on("message", (data: Buffer) => {
      this.#arrived.push(RawFrame.parse(JSON.parse(data.toString("utf8"))));
      this.#wake?.();
    });
  }

  send(...frames: readonly object[]): void {
    for (const frame of frames) this.socket.send(JSON.stringify(frame));
  }

  inbound(id: string, content: string, more: object = {}): void {
    this.send({
      type: "inbound",
      content,
      ...more,
      meta: { chat_id: "main", message_id: id, ts: "2026-01-01T00:00:00Z" },
    });
  }

  /** The next frame that was not taken yet. */
  async next(): Promise<RawFrame> {
    for (;;) {
      const frame = this.#arrived.shift();
      if (frame) return frame;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async take(count: number): Promise<RawFrame[]> {
    const frames: RawFrame[] = [];
    while (frames.length < count) frames.push(await this.next());
    return frames;
  }

  /** Everything that is said until this moment: a pong comes after what was written before it. */
  async rest(): Promise<RawFrame[]> {
    this.send({ type: "ping" });
    const frames: RawFrame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.type === "pong") return frames;
      frames.push(frame);
    }
  }
}

/** The worker's end of the plugin wire, by hand: a real WebSocket server that only does what the test says. */
export class TestBridge {
  readonly #server: WebSocketServer;
  readonly #peers: Peer[] = [];
  #wake: (() => void) | undefined;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#peers.push(new Peer(socket));
      this.#wake?.();
    });
  }

  static async listen(port = 0): Promise<TestBridge> {
    const server = new WebSocketServer({ host: "127.0.0.1", port, path: "/bridge" });
    const bridge = new TestBridge(server);
    await once(server, "listening");
    return bridge;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the bridge listens on no TCP port");
    return address.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/bridge?token=secret`;
  }

  /** The next connection, silent so far. */
  async connection(): Promise<Peer> {
    for (;;) {
      const peer = this.#peers.shift();
      if (peer) return peer;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The next connection with its hello, acknowledged; as by an older bridge where `received` is absent. */
  async greeted(
    received?: number,
    more: object = {},
  ): Promise<{ readonly peer: Peer; readonly hello: RawFrame }> {
    const peer = await this.connection();
    const hello = await peer.next();
    const arrived = received === undefined ? {} : { received };
    peer.send({ type: "hello_ack", protocol: 1, ping_interval_ms: 30_000, ...arrived, ...more });
    return { peer, hello };
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    await once(this.#server, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
