import { CloseCode } from "../close-code.ts";
import type { BridgeFrame, Hello, Inbound } from "../plugin-frame.ts";
import { PROTOCOL_VERSION } from "../version.ts";
import { backoffMs } from "./backoff.ts";
import { Connection } from "./connection.ts";
import { Outbox } from "./outbox.ts";
import type { PluginClose } from "./plugin-close.ts";
import { Turn, type InboundTurn, type TurnFrame } from "./turn.ts";

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

export interface PluginClientOptions {
  /** `ws://…/bridge?…`, with its secret: never log it. */
  readonly url: string;
  readonly sessionKey: string;
  /** Called for each prompt; it may end the turn while it runs, or return and end it later. */
  readonly onInbound: (turn: InboundTurn) => void | Promise<void>;
  /** Called once, when the client has ended for good; not when it is about to reconnect. */
  readonly onClose?: (reason: PluginClose) => void;
  /** After this long without a connection the client ends, so that no agent outlives its bridge for ever. */
  readonly giveUpAfterMs?: number;
}

type State =
  | { readonly name: "idle" }
  | { readonly name: "connected"; readonly connection: Connection }
  | { readonly name: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly name: "closing"; readonly reason: PluginClose }
  | { readonly name: "closed" };

/**
 * A plugin's connection to its Synthesis worker. Reconnects by itself and takes the running turn along: what was
 * written in between, or did not arrive, is sent afterwards.
 */
export class PluginClient {
  /** Settles when the client has ended for good; never rejects. */
  readonly closed: Promise<PluginClose>;
  readonly #options: PluginClientOptions;
  readonly #ready = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<PluginClose>();
  readonly #outbox = new Outbox();
  #state: State = { name: "idle" };
  #turn: Turn | undefined;
  #attempt = 0;
  /** On the monotonic clock: a suspended machine must not use the time up. */
  #connectedAtMs = 0;

  constructor(options: PluginClientOptions) {
    this.#options = options;
    this.closed = this.#closed.promise;
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves at the first `hello_ack`; rejects if the client ends before that. Failed attempts are repeated. */
  async start(): Promise<void> {
    if (this.#state.name === "idle") {
      this.#connectedAtMs = performance.now();
      try {
        this.#connect();
      } catch {
        // Its error would repeat the URL, and so the secret.
        this.#end({ code: "lost", message: "The bridge's URL is not one of a WebSocket" });
      }
    }
    await this.#ready.promise;
  }

  /** Stops the running turn without a word, and closes the connection in at most 1 s. Idempotent. */
  async close(reason = "closed by the plugin"): Promise<void> {
    const end: PluginClose = { code: "closed", message: reason };
    if (this.#state.name === "connected") {
      const { connection } = this.#state;
      this.#state = { name: "closing", reason: end };
      this.#turn?.abandon(reason);
      connection.close(1000, "plugin closed");
    } else if (this.#state.name !== "closing") this.#end(end);
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #connect(): void {
    const resumes = this.#outbox.turnId;
    const hello: Hello = {
      type: "hello",
      pid: process.pid,
      openclaw_session: this.#options.sessionKey,
      protocol: PROTOCOL_VERSION,
      capabilities: ["cancel"],
      ...(resumes === undefined ? {} : { resumes }),
    };
    const connection = new Connection(this.#options.url, hello, {
      onReady: ({ received }) => {
        this.#attempt = 0;
        const isWhole = this.#outbox.connect((frame) => connection.send(frame), received);
        if (!isWhole) this.#abandon("a part of the answer was lost");
        this.#ready.resolve();
      },
      onFrame: (frame) => this.#receive(frame, connection),
      onClosed: (end) => this.#lost(end),
    });
    this.#state = { name: "connected", connection };
  }

  #receive(frame: BridgeFrame, connection: Connection): void {
    if (frame.type === "inbound") this.#begin(frame);
    else if (frame.type === "cancel") {
      if (this.#turn?.id === frame.message_id) this.#turn.cancel("cancelled by the bridge");
      // Over, or its prompt was lost with a connection: either way nothing more will be said for it.
      else connection.send({ type: "cancelled", message_id: frame.message_id });
    }
  }

  #begin(inbound: Inbound): void {
    if (this.#turn?.id === inbound.meta.message_id) return;
    // A bridge runs one turn at a time, so it has given the earlier one up.
    this.#turn?.abandon("the bridge began another turn");
    const turn = new Turn(
      inbound,
      (frame) => this.#write(frame),
      () => {
        if (this.#turn === turn) this.#turn = undefined;
      },
    );
    this.#turn = turn;
    this.#outbox.begin(turn.id);
    void turn.run(this.#options.onInbound);
  }

  #write(frame: TurnFrame): void {
    if (this.#state.name === "closing" || this.#state.name === "closed") return;
    if (!this.#outbox.push(frame)) this.#abandon("too much was written without a connection");
  }

  #abandon(why: string): void {
    this.#turn?.abandon(why);
    this.#turn = undefined;
  }

  #lost({ code, reason, unreadable }: { code: number; reason: string; unreadable: boolean }): void {
    const wasReady = this.#outbox.disconnect();
    if (this.#state.name === "closing") return this.#end(this.#state.reason);
    const why = `${code}${reason && `, ${reason}`}`;
    if (unreadable) return this.#end({ code: "unreadable", message: `Cannot read the bridge (${why})` });
    if (FINAL_CODES.has(code))
      return this.#end({ code: "refused", message: `The bridge closed for good (${why})` });
    if (REFUSED_FRAME_CODES.has(code)) {
      this.#outbox.fail(`The bridge refused a part of the answer (${why})`);
      this.#abandon("the bridge refused a part of the answer");
    }
    if (wasReady) this.#connectedAtMs = performance.now();
    const { giveUpAfterMs = 60_000 } = this.#options;
    if (performance.now() - this.#connectedAtMs > giveUpAfterMs) {
      return this.#end({
        code: "lost",
        message: `No connection to the bridge for ${giveUpAfterMs} ms (${why})`,
      });
    }
    const timer = setTimeout(() => this.#connect(), backoffMs(this.#attempt++));
    this.#state = { name: "waiting", timer };
  }

  #end(reason: PluginClose): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "waiting") clearTimeout(this.#state.timer);
    this.#state = { name: "closed" };
    this.#abandon(reason.message);
    this.#ready.reject(new Error(reason.message));
    this.#closed.resolve(reason);
    this.#options.onClose?.(reason);
  }
}
