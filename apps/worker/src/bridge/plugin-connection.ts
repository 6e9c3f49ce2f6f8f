import type { Logger } from "@synthesis/kit";
import {
  CloseCode,
  decodeFrames,
  encodeFrames,
  PluginFrame,
  PROTOCOL_VERSION,
  type BridgeFrame,
  type Hello,
} from "@synthesis/protocol";
import type { RawData, WebSocket } from "ws";
import type { PluginSeat } from "./plugin-seat.ts";

export interface PluginConnectionOptions {
  readonly socket: WebSocket;
  /** The seat that the token in the upgrade belongs to. */
  readonly seat: PluginSeat;
  readonly helloMs: number;
  readonly pingMs: number;
  readonly log: Logger;
}

type ConnectionState = "waiting_for_hello" | "seated" | "closed";

/** One plugin's WebSocket: says hello once, is kept alive by pings, speaks for its seat only. */
export class PluginConnection {
  readonly #options: PluginConnectionOptions;
  #state: ConnectionState = "waiting_for_hello";
  #timer: NodeJS.Timeout;
  #pongOwed = false;

  constructor(options: PluginConnectionOptions) {
    this.#options = options;
    const { socket, helloMs } = options;
    this.#timer = setTimeout(() => this.close(CloseCode.expectedHello, "expected hello"), helloMs);
    socket.on("message", (data: RawData, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on("close", () => this.#closed());
    socket.on("error", (error) => options.log.warn("plugin.socket_error", { error: error.message }));
  }

  send(frame: BridgeFrame): void {
    if (this.#state !== "closed") this.#options.socket.send(encodeFrames([frame]));
  }

  close(code: CloseCode, reason: string): void {
    if (this.#state === "closed") return;
    this.#options.log.info("plugin.closed", { session: this.#options.seat.sessionKey, code, reason });
    this.#options.socket.close(code, reason);
    this.#closed();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#state === "closed") return;
    const decoded = isBinary
      ? ({ ok: false, message: "a binary message" } as const)
      : decodeFrames(PluginFrame, textOf(data));
    if (!decoded.ok) {
      // An unknown type from a newer peer is skipped; a broken frame, or anything before hello, is not.
      if (this.#state === "seated" && isUnknownType(textOf(data))) return;
      const code = this.#state === "seated" ? CloseCode.malformedFrame : CloseCode.expectedHello;
      return this.close(code, this.#state === "seated" ? decoded.message.slice(0, 100) : "expected hello");
    }
    for (const frame of decoded.frames) this.#handle(frame);
  }

  #handle(frame: PluginFrame): void {
    if (this.#state === "closed") return;
    if (this.#state === "waiting_for_hello") {
      if (frame.type === "hello") this.#welcome(frame);
      else this.close(CloseCode.expectedHello, "expected hello");
      return;
    }
    if (frame.type === "ping") this.send({ type: "pong" });
    else if (frame.type === "pong") this.#pongOwed = false;
    else this.#options.seat.hear(this, frame);
  }

  #welcome(hello: Hello): void {
    const { seat, pingMs, log } = this.#options;
    if (hello.openclaw_session !== seat.sessionKey) {
      return this.close(CloseCode.sessionMismatch, "the token belongs to another session");
    }
    if (hello.protocol !== undefined && hello.protocol !== PROTOCOL_VERSION) {
      return this.close(CloseCode.unsupportedProtocol, `protocol ${PROTOCOL_VERSION} is spoken here`);
    }
    this.#state = "seated";
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#heartbeat(), pingMs);
    const more = hello.protocol === undefined ? {} : { protocol: PROTOCOL_VERSION, ping_interval_ms: pingMs };
    this.send({ type: "hello_ack", ...more });
    log.info("plugin.connected", { session: seat.sessionKey, pid: hello.pid });
    seat.take(this, hello);
  }

  #heartbeat(): void {
    if (this.#pongOwed) {
      this.#options.log.warn("plugin.silent", { session: this.#options.seat.sessionKey });
      this.#options.socket.terminate();
      return this.#closed();
    }
    this.#pongOwed = true;
    this.send({ type: "ping" });
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#options.seat.leave(this);
  }
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data)
    ? data.toString("utf8")
    : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString("utf8");
}

function isUnknownType(text: string): boolean {
  const known: readonly string[] = PluginFrame.options.map((option) => option.shape.type.value);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("type" in value)) return false;
    return typeof value.type === "string" && !known.includes(value.type);
  } catch {
    return false;
  }
}
