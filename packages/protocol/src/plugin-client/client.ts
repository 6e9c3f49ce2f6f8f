import type { Verdict } from "../ask.ts";
import { CloseCode } from "../close-code.ts";
import type { PluginCapability } from "../plugin-capability.ts";
import type { BridgeFrame, Hello, HelloAck, Inbound } from "../plugin-frame.ts";
import { PROTOCOL_VERSION } from "../version.ts";
import { backoffMs } from "./backoff.ts";
import { Connection } from "./connection.ts";
import { OpenAsks, type PermissionAsk } from "./open-asks.ts";
import { Outbox, type OutboundFrame } from "./outbox.ts";
import type { PluginClose } from "./plugin-close.ts";
import { PART_BYTES, partBytesFor } from "./text-parts.ts";
import { Turn, type InboundTurn } from "./turn.ts";

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
  /** What the plugin promises beside `cancel` and `seq`, which the client itself keeps. */
  readonly capabilities?: readonly PluginCapability[];
  /** With capability `seen`: nobody said `seen` for this turn in time; show it to the agent once more. */
  readonly onUnseen?: (turn: InboundTurn) => void;
  /**
   * The agent is at a turn that this process knows nothing of, for its predecessor was killed: the answer goes on
   * with this one. Its `content` is empty. Without this the bridge interrupts the turn.
   */
  readonly onTakeUp?: (turn: InboundTurn) => void;
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
  | { readonly name: "closed"; readonly reason: PluginClose };

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
  readonly #asks = new OpenAsks((frame) => {
    if (this.#state.name === "connected") this.#state.connection.send(frame);
  });
  #state: State = { name: "idle" };
  #turn: Turn | undefined;
  /** Of the last `hello_ack`; undefined: there was none yet. */
  #ack: HelloAck | undefined;
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

  /**
   * Asks for a permission (capability `asks`). Never rejects: where no verdict can come any more, as with the end of
   * the running turn, it is `deny`. Aborting `signal` withdraws the ask.
   */
  async ask(ask: PermissionAsk, signal?: AbortSignal): Promise<Verdict> {
    const verdict = this.#asks.add(ask, this.#turn?.id, signal);
    if (this.#state.name === "closed") this.#asks.denyAll(this.#state.reason.message);
    else if (this.#ack !== undefined) this.#denyWhereNobodyAnswers(this.#ack);
    return verdict;
  }

  /** Stops the running turn without a word, and closes the connection in at most 1 s. Idempotent. */
  async close(reason = "closed by the plugin"): Promise<void> {
    const end: PluginClose = { code: "closed", message: reason };
    if (this.#state.name === "connected") {
      const { connection } = this.#state;
      this.#state = { name: "closing", reason: end };
      this.#turn?.abandon(reason);
      this.#outbox.hurry();
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
      capabilities: [...new Set<PluginCapability>(["cancel", "seq", ...(this.#options.capabilities ?? [])])],
      ...(resumes === undefined ? {} : { resumes }),
    };
    const connection = new Connection(this.#options.url, hello, {
      onReady: (ack) => this.#welcomed(ack, connection),
      onFrame: (frame) => this.#receive(frame),
      onClosed: (end) => this.#lost(end),
    });
    this.#state = { name: "connected", connection };
  }

  #welcomed(ack: HelloAck, connection: Connection): void {
    const isFirst = this.#ack === undefined;
    this.#ack = ack;
    this.#attempt = 0;
    const takesUp = isFirst && ack.turn !== undefined ? this.#options.onTakeUp : undefined;
    const turn = takesUp && ack.turn !== undefined ? this.#newTurn(ack.turn, ack.received) : undefined;
    const isWhole = this.#outbox.connect({
      send: (frame) => connection.send(frame),
      received: ack.received,
      isNumbered: ack.capabilities?.includes("seq") ?? false,
      framesPerSecond: ack.limits?.frames_per_second,
      partBytes: this.#partBytes,
    });
    if (!isWhole) this.#abandon("a part of the answer was lost");
    this.#denyWhereNobodyAnswers(ack);
    this.#asks.repeat();
    this.#ready.resolve();
    if (turn === undefined) return;
    turn.progress(); // says that somebody has taken it up
    void turn.run((taken) => takesUp?.(taken));
  }

  #denyWhereNobodyAnswers(ack: HelloAck): void {
    if (!ack.capabilities?.includes("asks")) this.#asks.denyAll("the bridge answers no asks");
  }

  get #partBytes(): number {
    return this.#ack?.limits === undefined ? PART_BYTES : partBytesFor(this.#ack.limits.frame_bytes);
  }

  #receive(frame: BridgeFrame): void {
    if (frame.type === "inbound") this.#begin(frame);
    else if (frame.type === "ack") this.#outbox.acknowledge(frame.message_id, frame.seq);
    else if (frame.type === "verdict") this.#asks.settle(frame);
    else if (frame.type === "cancel") {
      if (this.#turn?.id === frame.message_id) this.#turn.cancel("cancelled by the bridge");
      else this.#disown(frame.message_id);
    }
  }

  #begin(inbound: Inbound): void {
    const { message_id } = inbound.meta;
    if (this.#outbox.turnId === message_id) return this.#repeat(inbound);
    // A bridge runs one turn at a time, so it has given the earlier one up.
    this.#turn?.abandon("the bridge began another turn");
    const turn = this.#newTurn(message_id);
    turn.tell(inbound);
    void turn.run(this.#options.onInbound);
  }

  /** Nobody said in time that the agent has it before it; where it has ended meanwhile, that has crossed this. */
  #repeat(inbound: Inbound): void {
    if (this.#turn?.id !== inbound.meta.message_id) return;
    this.#turn.tell(inbound);
    try {
      this.#options.onUnseen?.(this.#turn);
    } catch (error) {
      this.#turn.fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** The cancelled turn has ended, and its end is on its way; or its prompt was lost with a connection. */
  #disown(id: string): void {
    if (this.#outbox.turnId === id) return;
    this.#turn?.abandon("the bridge is at another turn");
    const turn = this.#newTurn(id, this.#ack?.turn === id ? this.#ack.received : 0);
    turn.cancel("cancelled by the bridge");
    void turn.run(() => undefined);
  }

  #newTurn(id: string, received = 0): Turn {
    const turn: Turn = new Turn(id, {
      partBytes: () => this.#partBytes,
      write: (frame) => this.#write(frame),
      onEnd: () => {
        this.#asks.denyAll("the turn has ended", id);
        if (this.#turn === turn) this.#turn = undefined;
      },
    });
    this.#turn = turn;
    this.#outbox.begin(id, received);
    return turn;
  }

  #write(frame: OutboundFrame): void {
    if (frame.message_id !== this.#outbox.turnId) return; // what is said of a turn after the next has begun
    if (this.#state.name === "closing" || this.#state.name === "closed") return;
    if (!this.#outbox.push(frame)) this.#abandon("too much was written without a connection");
  }

  #abandon(why: string): void {
    this.#asks.denyAll(why);
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
    this.#state = { name: "closed", reason };
    this.#abandon(reason.message);
    this.#ready.reject(new Error(reason.message));
    this.#closed.resolve(reason);
    this.#options.onClose?.(reason);
  }
}
