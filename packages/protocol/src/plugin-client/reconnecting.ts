import { CloseCode } from "../close-code.ts";
import type { BridgeFrame, Hello, HelloAck, PluginFrame } from "../plugin-frame.ts";
import { backoffMs } from "./backoff.ts";
import { Connection } from "./connection.ts";
import type { PluginClose } from "./plugin-close.ts";

const FINAL_CODES: ReadonlySet<number> = new Set([
  CloseCode.goingAway,
  CloseCode.expectedHello,
  CloseCode.replaced,
  CloseCode.sessionMismatch,
  CloseCode.unsupportedProtocol,
]);
/** RFC 6455: a message was too big (PROTOCOL.md P-11). */
const TOO_BIG = 1009;
/** The bridge would not have what was written: sent again, it would only end the next connection too. */
const REFUSED_FRAME_CODES: ReadonlySet<number> = new Set([TOO_BIG, CloseCode.malformedFrame]);

export interface ReconnectingOptions {
  readonly url: string;
  /** After this long without a connection it ends. */
  readonly giveUpAfterMs: number;
  /** What the next connection says first. */
  hello(): Hello;
  onReady(ack: HelloAck, connection: Connection): void;
  onFrame(frame: BridgeFrame): void;
  /** A connection is gone; another may come. */
  onLost(): void;
  /** The bridge closed it for what was written to it. */
  onRefused(why: string): void;
  /** Called once: there is none any more. */
  onEnd(reason: PluginClose): void;
}

type State =
  | { readonly name: "idle" }
  | { readonly name: "connected"; readonly connection: Connection }
  | { readonly name: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly name: "closing"; readonly reason: PluginClose }
  | { readonly name: "closed"; readonly reason: PluginClose };

/** A connection to the bridge that comes back by itself, till it is closed, refused for good, or away for too long. */
export class Reconnecting {
  /** Settles with the end; never rejects. */
  readonly closed: Promise<PluginClose>;
  readonly #options: ReconnectingOptions;
  readonly #closed = Promise.withResolvers<PluginClose>();
  #state: State = { name: "idle" };
  #isReady = false;
  #attempt = 0;
  /** On the monotonic clock: a suspended machine must not use the time up. */
  #connectedAtMs = 0;

  constructor(options: ReconnectingOptions) {
    this.#options = options;
    this.closed = this.#closed.promise;
  }

  /** Why there is no connection any more, or will be none soon. */
  get end(): PluginClose | undefined {
    return "reason" in this.#state ? this.#state.reason : undefined;
  }

  /** Begins to connect; where it has begun, nothing. */
  start(): void {
    if (this.#state.name !== "idle") return;
    this.#connectedAtMs = performance.now();
    try {
      this.#connect();
    } catch {
      // Its error would repeat the URL, and so the secret.
      this.#end({ code: "lost", message: "The bridge's URL is not one of a WebSocket" });
    }
  }

  /** Loses the frame where nothing is connected. */
  send(frame: PluginFrame): void {
    if (this.#state.name === "connected") this.#state.connection.send(frame);
  }

  /** Ends it, in at most 1 s; `sayLast` is called where something can still be said. Idempotent. */
  async close(reason: PluginClose, sayLast: () => void): Promise<void> {
    if (this.#state.name === "connected") {
      const { connection } = this.#state;
      this.#state = { name: "closing", reason };
      sayLast();
      connection.close(1000, "plugin closed");
    } else if (this.#state.name !== "closing") this.#end(reason);
    await this.closed;
  }

  #connect(): void {
    const connection = new Connection(this.#options.url, this.#options.hello(), {
      onReady: (ack) => {
        this.#isReady = true;
        this.#attempt = 0;
        this.#options.onReady(ack, connection);
      },
      onFrame: (frame) => this.#options.onFrame(frame),
      onClosed: (end) => this.#lost(end),
    });
    this.#state = { name: "connected", connection };
  }

  #lost({ code, reason, unreadable }: { code: number; reason: string; unreadable: boolean }): void {
    const wasReady = this.#isReady;
    this.#isReady = false;
    this.#options.onLost();
    if (this.#state.name === "closing") return this.#end(this.#state.reason);
    const why = `${code}${reason && `, ${reason}`}`;
    if (unreadable) return this.#end({ code: "unreadable", message: `Cannot read the bridge (${why})` });
    if (FINAL_CODES.has(code))
      return this.#end({ code: "refused", message: `The bridge closed for good (${why})` });
    if (REFUSED_FRAME_CODES.has(code)) this.#options.onRefused(why);
    if (wasReady) this.#connectedAtMs = performance.now();
    const { giveUpAfterMs } = this.#options;
    if (performance.now() - this.#connectedAtMs > giveUpAfterMs) {
      const message = `No connection to the bridge for ${giveUpAfterMs} ms (${why})`;
      return this.#end({ code: "lost", message });
    }
    const timer = setTimeout(() => this.#connect(), backoffMs(this.#attempt++));
    this.#state = { name: "waiting", timer };
  }

  #end(reason: PluginClose): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "waiting") clearTimeout(this.#state.timer);
    this.#state = { name: "closed", reason };
    this.#closed.resolve(reason);
    this.#options.onEnd(reason);
  }
}
