import type { CloseReason, Logger } from "@synthesis/kit";
import type { Hello, PluginFrame, TurnEnd, WireError } from "@synthesis/protocol";
import type { Bridge } from "../../bridge/bridge.ts";
import type { PluginSeat } from "../../bridge/plugin-seat.ts";
import type { AgentChild } from "../../process/agent-child.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { promptText } from "../prompt-text.ts";
import { endOfProgram } from "./end-of-program.ts";

/** What a command process needs from the outside. */
export interface CommandProcessOptions {
  readonly bridge: Bridge;
  readonly sessionKey: string;
  /** The program as configured, for messages. */
  readonly program: string;
  /** How long a turn waits for a lost or replaced connection, in ms. */
  readonly reconnectMs: number;
  readonly log: Logger;
  /** A reply answered no running turn: counted, never delivered. */
  onUnsolicited(): void;
  /** Starts the program with the bridge URL in its environment. */
  spawn(bridgeUrl: string): AgentChild;
}

interface RunningTurn {
  readonly id: string;
  readonly text: string;
  readonly events: TurnEvents;
  readonly settle: (end: AgentTurnEnd) => void;
  /** Whether its prompt was sent. */
  asked: boolean;
  /** Runs while nobody who could answer is connected. */
  grace: NodeJS.Timeout | undefined;
}

const TEXT_ONLY: WireError = { code: "invalid_request", message: "this agent takes text only" };

/** Any program that speaks the plugin frames over the bridge: one session, one turn at a time. */
export class CommandProcess implements AgentProcess {
  readonly closed: Promise<CloseReason>;
  /** Its conversation cannot branch. */
  readonly mark = undefined;
  readonly #options: CommandProcessOptions;
  readonly #seat: PluginSeat;
  readonly #child: AgentChild;
  readonly #started = Promise.withResolvers<void>();
  #turn: RunningTurn | undefined;
  /** Of the turn that was asked last, also after its end: its plugin may not know what arrived. */
  #taken = { turnId: "", frames: 0 };
  #canCancel = false;
  /** Why its last connection was lost, as long as no other came. */
  #lost: string | undefined;
  /** Why the process is being killed within its turn; the turn ends so once it is dead. */
  #verdict: TurnEnd | undefined;

  constructor(options: CommandProcessOptions) {
    this.#options = options;
    const { seat, url } = options.bridge.seat(options.sessionKey, {
      onHello: (hello) => this.#onHello(hello),
      onVacant: (why) => {
        this.#lost = why;
        this.#awaitReconnect(`its connection was lost (${why})`);
      },
      onFrame: (frame) => this.#onFrame(frame),
      framesTaken: (turnId) => (turnId === this.#taken.turnId ? this.#taken.frames : 0),
    });
    this.#seat = seat;
    this.#child = options.spawn(url);
    this.closed = this.#child.closed.then((reason) => {
      this.#started.resolve();
      options.bridge.vacate(seat);
      const { program } = options;
      const [isStarted, isAsked] = [this.pid !== undefined, this.#turn?.asked ?? false];
      this.#end(
        this.#verdict ?? endOfProgram({ program, isStarted, isAsked, how: reason.message, lost: this.#lost }),
      );
      return reason;
    });
  }

  get started(): Promise<void> {
    return this.#started.promise;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#child.isAlive;
  }

  async run({ id, prompt }: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    const text = promptText(prompt);
    if (text === undefined) return { state: "failed", error: TEXT_ONLY };
    const { promise, resolve } = Promise.withResolvers<AgentTurnEnd>();
    const running: RunningTurn = { id, text, events, settle: resolve, asked: false, grace: undefined };
    if (this.#seat.isOccupied) this.#ask(running);
    this.#turn = running;
    return promise;
  }

  /** A program that cannot be told to stop is ended: a late answer must never meet the next turn. */
  interrupt(): void {
    if (this.#turn === undefined) return;
    if (this.#canCancel && this.#seat.send({ type: "cancel", message_id: this.#turn.id })) return;
    void this.kill({ code: "cancelled", message: "the turn was cancelled" });
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
    await this.#child.close(reason);
    await this.closed;
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.#child.kill(reason);
    await this.closed;
  }

  #ask(running: RunningTurn): void {
    const { id, text } = running;
    running.events.onStart();
    running.asked = true;
    running.events.onStage({ name: "answer" }); // it says nothing of what it waits for
    this.#taken = { turnId: id, frames: 0 };
    const meta = { chat_id: this.#options.sessionKey, message_id: id, ts: new Date().toISOString() };
    this.#seat.send({ type: "inbound", content: text, meta });
  }

  #onHello(hello: Hello): void {
    this.#started.resolve();
    this.#lost = undefined;
    this.#canCancel = hello.capabilities?.includes("cancel") ?? false;
    const running = this.#turn;
    if (running === undefined) return;
    running.events.onLife();
    if (!running.asked) this.#askOrFail(running);
    else if (hello.resumes === running.id) this.#carryOn(running);
    else this.#awaitReconnect("its connection was replaced by one that did not take it up");
  }

  /** Outside of {@link run}, whose caller would hear of it: a turn that cannot be journaled is not asked. */
  #askOrFail(running: RunningTurn): void {
    try {
      this.#ask(running);
    } catch (error) {
      this.#options.log.error("turn.not_started", { turn: running.id, error: String(error) });
      this.#end({
        state: "failed",
        error: { code: "internal_error", message: "the turn could not be journaled" },
      });
    }
  }

  /** The turn is asked and nobody is known to answer it: somebody must come within the grace time. */
  #awaitReconnect(why: string): void {
    const running = this.#turn;
    if (!running?.asked) return;
    clearTimeout(running.grace);
    running.grace = setTimeout(() => {
      const message = `the agent did not answer: ${why}`;
      this.#abandon({ state: "interrupted", error: { code: "turn_interrupted", message } });
    }, this.#options.reconnectMs);
  }

  #carryOn(running: RunningTurn): void {
    clearTimeout(running.grace);
    running.grace = undefined;
  }

  #onFrame(frame: PluginFrame): void {
    if (frame.type === "hello" || frame.type === "ping" || frame.type === "pong") return;
    const running = this.#turn;
    const answersRunning = frame.message_id === undefined || frame.message_id === running?.id;
    if (!running?.asked || !answersRunning) return this.#unsolicited(frame.type);
    this.#taken.frames += 1;
    this.#carryOn(running);
    running.events.onLife();
    switch (frame.type) {
      case "progress":
        if (frame.text !== undefined) running.events.onReasoning(frame.text);
        return;
      case "reply":
        if (frame.content !== "") running.events.onText(frame.content);
        if (frame.final !== false) this.#end({ state: "completed", finishReason: "stop" });
        return;
      case "failure":
        return this.#end({ state: "failed", error: { code: "turn_failed", message: frame.message } });
      case "cancelled":
        return this.#end({
          state: "cancelled",
          error: { code: "turn_cancelled", message: "the turn was interrupted" },
        });
    }
  }

  #unsolicited(type: string): void {
    this.#options.onUnsolicited();
    this.#options.log.warn("plugin.unsolicited", { session: this.#options.sessionKey, type });
  }

  /** Ends the process and the turn with it: whoever still works on the turn could answer into the next one. */
  #abandon(verdict: TurnEnd): void {
    this.#verdict = verdict;
    void this.kill({ code: "abandoned", message: "its turn was given up" });
  }

  #end(end: AgentTurnEnd): void {
    const running = this.#turn;
    this.#turn = undefined;
    clearTimeout(running?.grace);
    running?.settle(end);
  }
}
