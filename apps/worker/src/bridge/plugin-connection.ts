import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import {
  CloseCode,
  decodeFrames,
  encodeFrames,
  PluginCapability,
  PluginFrame,
  PROTOCOL_VERSION,
  TokenBucket,
  type BridgeFrame,
  type Hello,
  type HelloAck,
} from "@synthesis/protocol";
import type { RawData, WebSocket } from "ws";
import type { PluginSeat } from "./plugin-seat.ts";

export interface PluginConnectionOptions {
  readonly socket: WebSocket;
  /** The seat that the token in the upgrade belongs to. */
  readonly seat: PluginSeat;
  readonly limits: Pick<Limits, "helloMs" | "pingMs" | "frameBytes" | "framesPerSecond">;
  readonly log: Logger;
}

type ConnectionState = "waiting_for_hello" | "seated" | "closed";

/** One plugin's WebSocket: says hello once, is kept alive by pings, speaks for its seat only. */
export class PluginConnection {
  readonly #options: PluginConnectionOptions;
  #state: ConnectionState = "waiting_for_hello";
  #timer: NodeJS.Timeout;
  readonly #budget: TokenBucket;
  #pongOwed = false;

  constructor(options: PluginConnectionOptions) {
    this.#options = options;
    const { socket, seat, limits } = options;
    this.#budget = new TokenBucket(limits.framesPerSecond);
    this.#timer = setTimeout(() => this.close(CloseCode.expectedHello, "expected hello"), limits.helloMs);
    socket.on("message", (data: RawData, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on("ping", () => this.#spend(1)); // of WebSocket itself, which answers it
    socket.on("close", (code) => this.#closed(`closed with ${code}`));
    socket.on("error", (error) => {
      options.log.warn("plugin.socket_error", { error: error.message });
      this.#closed(error.message); // such as a message that is too large; `close` follows
    });
    seat.expect(this);
  }

  send(frame: BridgeFrame): void {
    if (this.#state !== "closed") this.#options.socket.send(encodeFrames([frame]));
  }

  close(code: CloseCode, reason: string): void {
    if (this.#state === "closed") return;
    this.#options.log.info("plugin.closed", { session: this.#options.seat.sessionKey, code, reason });
    this.#options.socket.close(code, reason);
    this.#closed(`closed with ${code}, ${reason}`);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#state === "closed") return;
    if (isBinary) return this.#refuse("a binary message");
    const text = textOf(data);
    const decoded = decodeFrames(PluginFrame, text, this.#state === "seated" ? isOfUnknownType : undefined);
    if (!this.#spend(decoded.ok ? Math.max(1, decoded.frames.length) : 1)) return;
    if (!decoded.ok) return this.#refuse(decoded.message);
    for (const frame of decoded.frames) this.#handle(frame);
  }

  /** False: it has sent too many frames, and is closed for it (P-19). */
  #spend(frames: number): boolean {
    const isWithin = this.#budget.take(frames);
    if (!isWithin) this.close(CloseCode.tooManyFrames, "too many frames");
    return isWithin;
  }

  #refuse(why: string): void {
    if (this.#state === "seated") this.close(CloseCode.malformedFrame, why.slice(0, 100));
    else this.close(CloseCode.expectedHello, `expected hello: ${why}`.slice(0, 100));
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
    const { seat, limits, log } = this.#options;
    if (hello.openclaw_session !== seat.sessionKey) {
      return this.close(CloseCode.sessionMismatch, "the token belongs to another session");
    }
    if (hello.protocol !== undefined && hello.protocol !== PROTOCOL_VERSION) {
      return this.close(CloseCode.unsupportedProtocol, `protocol ${PROTOCOL_VERSION} is spoken here`);
    }
    this.#state = "seated";
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#heartbeat(), limits.pingMs);
    log.info("plugin.connected", { session: seat.sessionKey, pid: hello.pid });
    seat.take(this, hello, () => this.send({ type: "hello_ack", ...this.#details(hello) }));
  }

  /** What `hello_ack` says to a peer that named its protocol. */
  #details({ protocol, resumes, capabilities = [] }: Hello): Omit<HelloAck, "type"> {
    if (protocol === undefined) return {};
    const { seat, limits } = this.#options;
    const turn = seat.promptedTurn;
    const counted = resumes ?? turn;
    return {
      protocol: PROTOCOL_VERSION,
      ping_interval_ms: limits.pingMs,
      capabilities: PluginCapability.options.filter((name) => capabilities.includes(name)),
      epoch: seat.epoch,
      limits: { frame_bytes: limits.frameBytes, frames_per_second: limits.framesPerSecond },
      ...(turn === undefined ? {} : { turn }),
      ...(counted === undefined ? {} : { received: seat.framesTaken(counted) }),
    };
  }

  #heartbeat(): void {
    if (this.#pongOwed) {
      this.#options.log.warn("plugin.silent", { session: this.#options.seat.sessionKey });
      this.#options.socket.terminate();
      return this.#closed("silent, it answered no ping");
    }
    this.#pongOwed = true;
    this.send({ type: "ping" });
  }

  #closed(why: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#options.seat.leave(this, why);
  }
}

function textOf(data: RawData): string {
  return Buffer.isBuffer(data)
    ? data.toString("utf8")
    : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString("utf8");
}

const knownTypes: ReadonlySet<unknown> = new Set(
  PluginFrame.options.map((option) => option.shape.type.value),
);

/** Only a newer peer knows it (P-9). */
function isOfUnknownType(frame: unknown): boolean {
  if (typeof frame !== "object" || frame === null || !("type" in frame)) return false;
  return typeof frame.type === "string" && !knownTypes.has(frame.type);
}
