import type { Limits } from "@synthesis/config";
import type { CloseReason, Logger } from "@synthesis/kit";
import type {
  Ask,
  Hello,
  PluginCapability,
  PluginFrame,
  TurnEnd,
  TurnFrame,
  WireError,
} from "@synthesis/protocol";
import type { Bridge } from "../../bridge/bridge.ts";
import type { PluginSeat } from "../../bridge/plugin-seat.ts";
import type { Child } from "../../process/child.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { promptText } from "../prompt-text.ts";
import { endOfProgram } from "./end-of-program.ts";
import { PluginAsks } from "./plugin-asks.ts";
import { PluginTurn } from "./plugin-turn.ts";
import { TakenFrames } from "./taken-frames.ts";

/** What a command process needs from the outside. */
export interface CommandProcessOptions<C extends Child = Child> {
  readonly bridge: Bridge;
  readonly sessionKey: string;
  /** The folder that the program works in. */
  readonly workspacePath: string;
  /** The program as configured, for messages. */
  readonly program: string;
  readonly limits: Pick<Limits, "reconnectMs" | "seenMs">;
  readonly log: Logger;
  /** A reply answered no running turn: counted, never delivered. */
  onUnsolicited(): void;
  /** Starts the program with the bridge URL in its environment. */
  spawn(bridgeUrl: string): C;
  /** What may be the cause where it never sees a message, for people. */
  readonly deafCause?: string;
}

const CANCELLED: TurnEnd = {
  state: "cancelled",
  error: { code: "turn_cancelled", message: "the turn was interrupted" },
};
const TEXT_ONLY: WireError = { code: "invalid_request", message: "this agent takes text only" };

/** Any program that speaks the plugin frames over the bridge: one session, one turn at a time. */
export class CommandProcess<C extends Child = Child> implements AgentProcess {
  readonly child: C;
  readonly closed: Promise<CloseReason>;
  /** Its conversation cannot branch. */
  readonly mark = undefined;
  readonly #options: CommandProcessOptions<C>;
  readonly #seat: PluginSeat;
  readonly #asks: PluginAsks;
  readonly #started = Promise.withResolvers<void>();
  readonly #taken = new TakenFrames((ack) => {
    if (this.#can("seq")) this.#seat.send(ack);
  });
  #turn: PluginTurn | undefined;
  #capabilities: readonly string[] = [];
  /** The ended turn that the agent is still at, as long as its plugin is to tell the end of that (P-16). */
  #lingering: string | undefined;
  /** Why its last connection was lost, as long as no other came. */
  #lost: string | undefined;
  /** Why the process has ended. */
  #gone: CloseReason | undefined;
  /** Why the process is being killed within its turn; the turn ends so once it is dead. */
  #verdict: TurnEnd | undefined;

  constructor(options: CommandProcessOptions<C>) {
    this.#options = options;
    const { seat, url } = options.bridge.seat(options.sessionKey, {
      onHello: (hello) => this.#onHello(hello),
      onVacant: (why) => {
        this.#lost = why;
        this.#awaitReconnect(`its connection was lost (${why})`);
      },
      onFrame: (frame) => this.#onFrame(frame),
      askedTurn: () => (this.#turn?.isAsked ? this.#turn.id : undefined),
      framesTaken: (turnId) => this.#taken.of(turnId),
    });
    this.#seat = seat;
    this.#asks = new PluginAsks((verdict) => void seat.send(verdict), options.workspacePath);
    this.child = options.spawn(url);
    this.closed = this.child.closed.then((reason) => {
      this.#started.resolve();
      options.bridge.vacate(seat);
      this.#gone = reason;
      this.#end(this.#verdict ?? this.#endOfTurn(reason));
      return reason;
    });
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get isAlive(): boolean {
    return this.child.isAlive;
  }

  async run({ id, prompt }: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    const text = promptText(prompt);
    if (text === undefined) return { state: "failed", error: TEXT_ONLY };
    if (this.#gone !== undefined) return this.#endOfTurn(this.#gone);
    const turn = new PluginTurn(id, text, events);
    if (this.#seat.isOccupied && this.#lingering === undefined) this.#ask(turn);
    this.#turn = turn;
    if (this.#seat.isOccupied && !turn.isAsked) this.#hold(turn);
    return turn.end;
  }

  /** A program that cannot be told to stop is ended: a late answer must never meet the next turn. */
  interrupt(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    if (!turn.isAsked && this.#seat.isOccupied) return this.#end(CANCELLED);
    if (this.#can("cancel") && this.#seat.send({ type: "cancel", message_id: turn.id })) return;
    void this.kill({ code: "cancelled", message: "the turn was cancelled" });
  }

  /** Nothing will come of the running turn, as somebody knows who looks at the program: it fails; one that was asked is ended too. */
  giveUp(error: WireError): void {
    if (this.#turn?.isAsked === true) this.#abandon({ state: "failed", error });
    else this.#end({ state: "failed", error });
  }

  fits(): boolean {
    return true;
  }

  /** A program is told one thing at a time. */
  async steer(): Promise<boolean> {
    return false;
  }

  withdrawSteer(): void {} // it was told nothing

  async close(reason: CloseReason): Promise<void> {
    this.#options.bridge.vacate(this.#seat); // first: a reconnect must find its token void
    await this.child.close(reason);
    await this.closed;
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.child.kill(reason);
    await this.closed;
  }

  #can(capability: PluginCapability): boolean {
    return this.#capabilities.includes(capability);
  }

  #ask(turn: PluginTurn): void {
    turn.events.onStart();
    turn.isAsked = true;
    turn.goOn();
    turn.events.onStage({ name: "answer" }); // it says nothing of what it waits for
    this.#lingering = undefined;
    this.#taken.begin(turn.id);
    this.#sendPrompt(turn);
    this.#awaitSeen(turn);
  }

  #sendPrompt({ id, text }: PluginTurn): void {
    const meta = { chat_id: this.#options.sessionKey, message_id: id, ts: new Date().toISOString() };
    this.#seat.send({ type: "inbound", content: text, meta });
  }

  /** Outside of {@link run}, whose caller would hear of it: a turn that cannot be journaled is not asked. */
  #askOrFail(turn: PluginTurn): void {
    try {
      this.#ask(turn);
    } catch (error) {
      this.#options.log.error("turn.not_started", { turn: turn.id, error: String(error) });
      this.#end({
        state: "failed",
        error: { code: "internal_error", message: "the turn could not be journaled" },
      });
    }
  }

  /** Asks as soon as the agent is at rest: told two things at once, it may take them for one. */
  #hold(turn: PluginTurn): void {
    turn.waitFor(this.#options.limits.seenMs, () => this.#atRest());
  }

  #atRest(): void {
    this.#lingering = undefined;
    if (this.#turn?.isAsked === false && this.#seat.isOccupied) this.#askOrFail(this.#turn);
  }

  #awaitSeen(turn: PluginTurn): void {
    if (!this.#can("seen")) return turn.seen();
    const { program, limits, deafCause } = this.#options;
    const cause = deafCause === undefined ? "" : `. ${deafCause}`;
    const message = `the session of the agent's program "${program}" is deaf: it was sent the message twice and has not seen it, each time within ${limits.seenMs} ms (limits.seenMs); the next message starts it anew${cause}`;
    turn.awaitSeen(
      limits.seenMs,
      () => this.#sendPrompt(turn),
      () => this.#abandon({ state: "failed", error: { code: "agent_unavailable", message } }),
    );
  }

  #onHello({ capabilities = [], resumes }: Hello): void {
    this.#started.resolve();
    this.#lost = undefined;
    this.#capabilities = capabilities;
    if (!this.#can("turn_over") || resumes !== this.#lingering) this.#lingering = undefined;
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.events.onLife();
    if (!turn.isAsked && this.#lingering !== undefined) this.#hold(turn);
    else if (!turn.isAsked) this.#askOrFail(turn);
    else if (resumes === turn.id) this.#carryOn(turn);
    else this.#awaitReconnect("its connection was replaced by one that did not take it up");
  }

  /** The turn is asked and nobody is known to answer it: somebody must come within the grace time. */
  #awaitReconnect(why: string): void {
    const turn = this.#turn;
    if (!turn?.isAsked) return;
    turn.waitFor(this.#options.limits.reconnectMs, () => {
      const message = `the agent did not answer: ${why}`;
      this.#abandon({ state: "interrupted", error: { code: "turn_interrupted", message } });
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
    this.#end(end);
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
    if (!turn?.isAsked) return undefined;
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

  /** How the end of its process ends the running turn. */
  #endOfTurn({ message: how }: CloseReason): AgentTurnEnd {
    const { program } = this.#options;
    const [isStarted, isAsked] = [this.pid !== undefined, this.#turn?.isAsked ?? false];
    return endOfProgram({ program, isStarted, isAsked, how, lost: this.#lost });
  }

  /** Ends the process and the turn with it: whoever still works on the turn could answer into the next one. */
  #abandon(verdict: TurnEnd): void {
    this.#verdict = verdict;
    void this.kill({ code: "abandoned", message: "its turn was given up" });
  }

  #end(end: AgentTurnEnd): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.settle(end);
  }
}
