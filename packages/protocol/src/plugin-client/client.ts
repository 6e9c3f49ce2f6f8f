import type { Verdict } from "../ask.ts";
import type { PluginCapability } from "../plugin-capability.ts";
import type { BridgeFrame, Hello, HelloAck, Inbound } from "../plugin-frame.ts";
import { PROTOCOL_VERSION } from "../version.ts";
import type { Connection } from "./connection.ts";
import { OpenAsks, type PermissionAsk } from "./open-asks.ts";
import { Outbox, type OutboundFrame } from "./outbox.ts";
import type { PluginClose } from "./plugin-close.ts";
import { Reconnecting } from "./reconnecting.ts";
import { PART_BYTES, partBytesFor } from "./text-parts.ts";
import { Turn, type InboundTurn } from "./turn.ts";

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

/**
 * A plugin's connection to its Synthesis worker. Reconnects by itself and takes the running turn along: what was
 * written in between, or did not arrive, is sent afterwards.
 */
export class PluginClient {
  /** Settles when the client has ended for good; never rejects. */
  readonly closed: Promise<PluginClose>;
  readonly #options: PluginClientOptions;
  readonly #ready = Promise.withResolvers<void>();
  readonly #link: Reconnecting;
  readonly #outbox = new Outbox();
  readonly #asks = new OpenAsks((frame) => this.#link.send(frame));
  #turn: Turn | undefined;
  /** Of the last `hello_ack`; undefined: there was none yet. */
  #ack: HelloAck | undefined;

  constructor(options: PluginClientOptions) {
    this.#options = options;
    const { url, giveUpAfterMs = 60_000 } = options;
    this.#link = new Reconnecting({
      url,
      giveUpAfterMs,
      hello: () => this.#hello(),
      onReady: (ack, connection) => this.#welcomed(ack, connection),
      onFrame: (frame) => this.#receive(frame),
      onLost: () => this.#outbox.disconnect(),
      onRefused: (why) => {
        this.#outbox.fail(`The bridge refused a part of the answer (${why})`);
        this.#abandon("the bridge refused a part of the answer");
      },
      onEnd: (reason) => this.#end(reason),
    });
    this.closed = this.#link.closed;
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves at the first `hello_ack`; rejects if the client ends before that. Failed attempts are repeated. */
  async start(): Promise<void> {
    this.#link.start();
    await this.#ready.promise;
  }

  /**
   * Asks for a permission (capability `asks`). Never rejects: where no verdict can come any more, as with the end of
   * the running turn, it is `deny`. Aborting `signal` withdraws the ask.
   */
  async ask(ask: PermissionAsk, signal?: AbortSignal): Promise<Verdict> {
    const verdict = this.#asks.add(ask, this.#turn?.id, signal);
    const { end } = this.#link;
    if (end !== undefined) this.#asks.denyAll(end.message);
    else if (this.#ack !== undefined) this.#denyWhereNobodyAnswers(this.#ack);
    return verdict;
  }

  /** Stops the running turn without a word, and closes the connection in at most 1 s. Idempotent. */
  async close(reason = "closed by the plugin"): Promise<void> {
    await this.#link.close({ code: "closed", message: reason }, () => {
      this.#turn?.abandon(reason);
      this.#outbox.hurry();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #hello(): Hello {
    const resumes = this.#outbox.turnId;
    return {
      type: "hello",
      pid: process.pid,
      openclaw_session: this.#options.sessionKey,
      protocol: PROTOCOL_VERSION,
      capabilities: [...new Set<PluginCapability>(["cancel", "seq", ...(this.#options.capabilities ?? [])])],
      ...(resumes === undefined ? {} : { resumes }),
    };
  }

  #welcomed(ack: HelloAck, connection: Connection): void {
    const isFirst = this.#ack === undefined;
    this.#ack = ack;
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
    if (this.#link.end !== undefined) return;
    if (!this.#outbox.push(frame)) this.#abandon("too much was written without a connection");
  }

  #abandon(why: string): void {
    this.#asks.denyAll(why);
    this.#turn?.abandon(why);
    this.#turn = undefined;
  }

  #end(reason: PluginClose): void {
    this.#abandon(reason.message);
    this.#ready.reject(new Error(reason.message));
    this.#options.onClose?.(reason);
  }
}
