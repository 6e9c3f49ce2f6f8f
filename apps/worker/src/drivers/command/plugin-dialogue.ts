import type { Limits } from "@synthesis/config";
import type { Logger } from "@synthesis/kit";
import type { Ask, Hello, PluginCapability, PluginFrame, TurnEnd, TurnFrame } from "@synthesis/protocol";
import type { Bridge } from "../../bridge/bridge.ts";
import type { PluginSeat } from "../../bridge/plugin-seat.ts";
import type { AgentTurnEnd } from "../agent-process.ts";
import type { KeepRules } from "../claude/keep-rules.ts";
import { PluginAsks } from "./plugin-asks.ts";
import { promptFields, type PluginPrompt } from "./plugin-prompt.ts";
import type { PluginTurn } from "./plugin-turn.ts";
import { TakenFrames } from "./taken-frames.ts";

/** What becomes of a program that sees no message. */
const DEAF = "the next message starts it anew";

export interface PluginDialogueOptions {
  readonly bridge: Bridge;
  readonly sessionKey: string;
  /** The folder that the program works in. */
  readonly workspacePath: string;
  /** The program as configured, for messages. */
  readonly program: string;
  readonly limits: Pick<Limits, "reconnectMs" | "seenMs">;
  readonly log: Logger;
  /** What becomes of it where it never sees a message, and what to do; default: it is started anew. */
  readonly ifDeaf?: string;
  /** Absent: what is allowed for good the program remembers, or nobody. */
  readonly keepRules?: KeepRules;
  /** A reply answered no running turn: counted, never delivered. */
  onUnsolicited(): void;
}

/** How far what is said to a plugin is known to have come since its process was started. */
export type Reach = "nobody" | "plugin" | "agent";

/**
 * What is said between the worker and one plugin, on all of its connections: a prompt, and then what comes of that
 * turn. Only one turn at a time.
 */
export class PluginDialogue {
  /** Of the bridge, for that plugin only. */
  readonly url: string;
  readonly #options: PluginDialogueOptions;
  readonly #onAbandoned: (end: TurnEnd) => void;
  readonly #seat: PluginSeat;
  readonly #asks: PluginAsks;
  readonly #greeted = Promise.withResolvers<void>();
  readonly #taken = new TakenFrames((ack) => {
    if (this.#can("seq")) this.#seat.send(ack);
  });
  #reach: Reach = "nobody";
  #turn: PluginTurn | undefined;
  #capabilities: readonly string[] = [];
  /** The ended turn that the agent is still at, as long as its plugin is to tell the end of that (P-16). */
  #lingering: string | undefined;
  /** Why its last connection was lost, as long as no other came. */
  #lost: string | undefined;

  /** `onAbandoned`: whoever still works on the turn could answer into the next one, so it ends so once its process is dead. */
  constructor(options: PluginDialogueOptions, onAbandoned: (end: TurnEnd) => void) {
    this.#options = options;
    this.#onAbandoned = onAbandoned;
    const { seat, url } = options.bridge.seat(options.sessionKey, {
      onHello: (hello) => this.#onHello(hello),
      onVacant: (why) => {
        this.#lost = why;
        this.#awaitReconnect(`its connection was lost (${why})`);
      },
      onFrame: (frame) => this.#onFrame(frame),
      promptedTurn: () => (this.#turn?.isPrompted ? this.#turn.id : undefined),
      framesTaken: (turnId) => this.#taken.of(turnId),
    });
    this.url = url;
    this.#seat = seat;
    const { workspacePath, keepRules = () => true } = options;
    this.#asks = new PluginAsks((verdict) => void seat.send(verdict), workspacePath, keepRules);
  }

  /** Resolves with the first hello. */
  get greeted(): Promise<void> {
    return this.#greeted.promise;
  }

  get reach(): Reach {
    return this.#turn?.isSeen ? "agent" : this.#reach;
  }

  /** The running turn. */
  get turn(): PluginTurn | undefined {
    return this.#turn;
  }

  /** Why its last connection was lost, as long as no other came. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** Sends the turn's prompt: now, or when that is ready, it is connected and at rest. Throws what `onStart` throws now. */
  begin(turn: PluginTurn): void {
    this.#prompt(turn);
    this.#turn = turn;
    if (this.#seat.isOccupied && this.#lingering !== undefined) this.#hold(turn);
  }

  /** The turn's prompt is ready. One that has ended meanwhile is asked nothing. */
  makeReady(turn: PluginTurn, prompt: PluginPrompt): void {
    turn.makeReady(prompt);
    if (turn === this.#turn) this.#promptOrFail(turn);
  }

  /** Tells it to stop the turn; false: it does not understand that, or is not there. */
  cancel(turn: PluginTurn): boolean {
    return this.#can("cancel") && this.#seat.send({ type: "cancel", message_id: turn.id });
  }

  /** Ends the running turn, if there is one. */
  end(end: AgentTurnEnd): void {
    const turn = this.#turn;
    this.#reach = this.reach;
    this.#turn = undefined;
    turn?.settle(end);
  }

  /** Takes no connection any more. */
  close(): void {
    this.#options.bridge.vacate(this.#seat);
  }

  #can(capability: PluginCapability): boolean {
    return this.#capabilities.includes(capability);
  }

  /** Where that may be now. */
  #prompt(turn: PluginTurn): void {
    if (turn.prompt === undefined || !this.#seat.isOccupied || this.#lingering !== undefined) return;
    turn.begin();
    this.#taken.begin(turn.id);
    this.#sendPrompt(turn);
    this.#awaitSeen(turn);
  }

  #sendPrompt({ id, prompt }: PluginTurn): void {
    if (prompt === undefined) return;
    const meta = { chat_id: this.#options.sessionKey, message_id: id, ts: new Date().toISOString() };
    const fields = promptFields(prompt, this.#can("received_files") ? "beside_it" : "in_content");
    this.#seat.send({ type: "inbound", ...fields, meta });
  }

  /** Outside of {@link begin}, whose caller would hear of it: the prompt of a turn that cannot be journaled is not sent. */
  #promptOrFail(turn: PluginTurn): void {
    try {
      this.#prompt(turn);
    } catch (error) {
      this.#options.log.error("turn.not_started", { turn: turn.id, error: String(error) });
      const message = "the turn could not be journaled";
      this.end({ state: "failed", error: { code: "internal_error", message } });
    }
  }

  /** Prompts as soon as the agent is at rest: told two things at once, it may take them for one. */
  #hold(turn: PluginTurn): void {
    if (!turn.isWaiting) turn.waitFor(this.#options.limits.seenMs, () => this.#atRest());
  }

  #atRest(): void {
    this.#lingering = undefined;
    if (this.#turn?.isPrompted === false) this.#promptOrFail(this.#turn);
  }

  #awaitSeen(turn: PluginTurn): void {
    if (!this.#can("seen")) return turn.seen();
    const { program, limits, ifDeaf = DEAF } = this.#options;
    const message = `the session of the agent's program "${program}" is deaf: it was sent the message twice and has not seen it, each time within ${limits.seenMs} ms (limits.seenMs); ${ifDeaf}`;
    turn.awaitSeen(
      limits.seenMs,
      () => this.#sendPrompt(turn),
      () => this.#onAbandoned({ state: "failed", error: { code: "agent_unavailable", message } }),
    );
  }

  #onHello({ capabilities = [], resumes }: Hello): void {
    if (this.#reach === "nobody") this.#reach = "plugin";
    this.#greeted.resolve();
    this.#lost = undefined;
    this.#capabilities = capabilities;
    if (!this.#can("turn_over") || resumes !== this.#lingering) this.#lingering = undefined;
    const turn = this.#turn;
    if (turn === undefined) return;
    if (turn.isPrompted && resumes !== turn.id)
      return this.#awaitReconnect("its connection was replaced by one that did not take it up");
    turn.events.onLife();
    if (turn.isPrompted) this.#carryOn(turn);
    else if (this.#lingering === undefined) this.#promptOrFail(turn);
    else this.#hold(turn);
  }

  /** The turn is prompted and nobody is known to answer it: somebody must come within the grace time, however many only say hello. */
  #awaitReconnect(why: string): void {
    const turn = this.#turn;
    if (!turn?.isPrompted || turn.isWaiting) return;
    turn.waitFor(this.#options.limits.reconnectMs, () => {
      const message = `the agent did not answer: ${why}`;
      this.#onAbandoned({ state: "interrupted", error: { code: "turn_interrupted", message } });
    });
  }

  #carryOn(turn: PluginTurn): void {
    if (!turn.isWaiting) return;
    turn.goOn();
    this.#awaitSeen(turn);
  }

  #onFrame(frame: PluginFrame): void {
    if (frame.type === "hello" || frame.type === "ping" || frame.type === "pong") return;
    const isOfThisEpoch = frame.epoch === undefined || frame.epoch === this.#seat.epoch;
    if (!isOfThisEpoch) return this.#unsolicited(frame.type);
    if (frame.type === "ask") return this.#onAsk(frame);
    if (frame.type === "ask_withdrawn") return this.#asks.withdraw(frame.id);
    if (this.#can("seq") && !this.#isNext(frame)) return;
    const turn = this.#turnOf(frame);
    if (turn !== undefined) return this.#hear(turn, frame);
    if (frame.type === "turn_over" && frame.message_id === this.#lingering) return this.#atRest();
    const isLate = frame.type === "turn_over" || frame.type === "seen";
    if (!isLate || !this.#taken.isOf(frame.message_id)) this.#unsolicited(frame.type);
  }

  #hear(turn: PluginTurn, frame: TurnFrame): void {
    if (!this.#can("seq")) this.#taken.count();
    const end = turn.hear(frame);
    this.#carryOn(turn);
    if (end === undefined) return;
    if (frame.type === "reply" && this.#can("turn_over")) this.#lingering = turn.id;
    this.end(end);
  }

  /** Whether a numbered frame is to be heard; one that cannot be ends its connection. */
  #isNext(frame: TurnFrame): boolean {
    const place = this.#taken.take(frame);
    if (place === "after_gap") this.#seat.refuse(`${frame.type}: seq ${frame.seq} leaves out another`);
    if (place === "not_numbered") this.#seat.refuse(`${frame.type}: message_id and seq are missing`);
    return place === "next" || place === "of_another_turn";
  }

  /** The running turn, where the frame speaks for it. */
  #turnOf({ message_id }: TurnFrame | Ask): PluginTurn | undefined {
    const turn = this.#turn;
    if (!turn?.isPrompted) return undefined;
    return message_id === undefined || message_id === turn.id ? turn : undefined;
  }

  #onAsk(ask: Ask): void {
    if (!this.#can("asks")) return this.#unsolicited(ask.type);
    const turn = this.#turnOf(ask);
    if (turn !== undefined) {
      turn.events.onLife();
      turn.seen();
      this.#carryOn(turn);
    }
    this.#asks.take(ask, turn);
  }

  #unsolicited(type: string): void {
    this.#options.onUnsolicited();
    this.#options.log.warn("plugin.unsolicited", { session: this.#options.sessionKey, type });
  }
}
