import { CloseCode } from "../close-code.ts";
import { decodeFrames, encodeFrames } from "../codec.ts";
import { BridgeFrame, type Hello, type HelloAck, type PluginFrame } from "../plugin-frame.ts";
import { PROTOCOL_VERSION } from "../version.ts";

/** From opening the socket to `hello_ack`. */
const HELLO_TIMEOUT_MS = 10_000;
/** How long the closing handshake may take before the connection counts as closed all the same. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface ConnectionEvents {
  readonly onReady: (ack: HelloAck) => void;
  readonly onFrame: (frame: BridgeFrame) => void;
  /** Exactly once, and nothing after it. `unreadable`: this side closed, because of what the bridge sent. */
  readonly onClosed: (end: { code: number; reason: string; unreadable: boolean }) => void;
}

/** One WebSocket to the bridge, from `hello` to its close. */
export class Connection {
  readonly #socket;
  readonly #events: ConnectionEvents;
  #state: "greeting" | "ready" | "closing" | "closed" = "greeting";
  #timer: NodeJS.Timeout;
  #unreadable = false;

  constructor(url: string, hello: Hello, events: ConnectionEvents) {
    this.#events = events;
    this.#socket = new WebSocket(url);
    this.#timer = setTimeout(() => this.close(1000, "no hello_ack in time"), HELLO_TIMEOUT_MS);
    this.#socket.addEventListener("open", () => this.#socket.send(encodeFrames([hello])));
    this.#socket.addEventListener("message", ({ data }: { data: unknown }) => this.#receive(data));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#closed(code, reason));
  }

  /** False: the socket is going or gone (where WebSocket's own `send` would lose the frame without a word). */
  send(frame: PluginFrame): boolean {
    if (this.#state !== "ready" || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encodeFrames([frame]));
    return true;
  }

  close(code: number, reason: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#state = "closing";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#closed(code, reason), CLOSE_TIMEOUT_MS);
    this.#socket.close(code, reason);
  }

  #receive(data: unknown): void {
    const decoded = typeof data === "string" ? decodeFrames(BridgeFrame, data) : undefined;
    if (!decoded?.ok) return this.#refuse(CloseCode.malformedFrame, decoded?.message ?? "a binary message");
    for (const frame of decoded.frames) this.#take(frame);
  }

  #take(frame: BridgeFrame): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    if (frame.type === "ping") this.send({ type: "pong" });
    else if (frame.type !== "hello_ack") this.#events.onFrame(frame);
    else if ((frame.protocol ?? 0) > PROTOCOL_VERSION) {
      this.#refuse(
        CloseCode.unsupportedProtocol,
        `protocol ${frame.protocol}, this client has ${PROTOCOL_VERSION}`,
      );
    } else if (this.#state === "greeting") {
      this.#state = "ready";
      clearTimeout(this.#timer);
      this.#events.onReady(frame);
    }
  }

  #refuse(code: number, message: string): void {
    this.#unreadable = true;
    // A close frame's reason has room for 123 bytes.
    this.close(code, message.replaceAll(/[^ -~]/g, "?").slice(0, 120));
  }

  #closed(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#events.onClosed({ code, reason, unreadable: this.#unreadable });
  }
}
