import type { AgentSettings } from "@synthesis/config";
import type { AskSettlement, TurnEnd } from "@synthesis/protocol";
import { settledAlready } from "../asks/open-ask.ts";
import type { AgentProcess } from "../drivers/agent-process.ts";
import { TurnFiles } from "../files/turn-files.ts";
import type { TurnOrigin } from "../journal/turn-origin.ts";
import { TurnOutlet } from "../turn/turn-outlet.ts";
import type { Turn } from "../turn/turn.ts";
import { AgentRun } from "./agent-run.ts";
import { lostQuestion, lostText } from "./lost-question.ts";
import type { SessionAgent, SessionAgentSurroundings } from "./session-agent.ts";
import { runAttempts, type AttemptedTurn } from "./turn-attempts.ts";

/** How a turn ends that has asked something. */
const STOPPED: TurnEnd = { state: "completed", finishReason: "stop" };

export interface SessionRunsOptions {
  readonly session: string;
  readonly agent: SessionAgent;
  readonly settings: AgentSettings;
  readonly around: SessionAgentSurroundings;
  /** One is paused, or over. */
  readonly onChange: () => void;
}

/** The runs of one session's agent, one at a time: each as long as its turn, or paused between two of them. */
export class SessionRuns {
  readonly #options: SessionRunsOptions;
  /** The run whose turn has ended with a question. */
  #paused: AgentRun | undefined;

  constructor(options: SessionRunsOptions) {
    this.#options = options;
  }

  /** Whether nothing is left for the next turn. */
  get isEmpty(): boolean {
    return this.#paused === undefined;
  }

  /** Whether the agent is at work, though no turn runs. */
  get isRunning(): boolean {
    return this.#paused?.state === "running";
  }

  /** Since when the agent has waited for a person, though no turn runs (epoch ms). */
  get waitsSince(): number | undefined {
    return this.#paused?.waitsSince;
  }

  /** Resolves once the agent is not at work. */
  async ended(): Promise<void> {
    await this.#paused?.ended;
  }

  /**
   * What a turn means for the run that is paused: it takes it over; or is told the rest of it and, accepted by then, runs
   * next; or it makes an end of it and runs next. over: nothing of the turn is to be run any more.
   */
  async goOn(turn: Turn, origin: TurnOrigin): Promise<"over" | "accepted" | "next"> {
    const run = this.#paused;
    const { agent } = this.#options;
    turn.cancel.throwIfAborted();
    agent.throwIfClosing();
    const aside = this.#asideFor(turn, origin);
    if (aside !== undefined) return this.#answer(turn, origin, aside);
    if (run === undefined) return "next";
    const meaning = origin.kind === "end" ? run.meaningOf(turn.order) : { kind: "other" as const };
    switch (meaning.kind) {
      case "verdict":
        turn.accept({ origin });
        turn.start();
        this.#paused = undefined;
        run.outlet.handTo(turn, meaning.verdict);
        await this.#follow(run, turn);
        return "over";
      case "unclear":
        turn.accept({ origin });
        turn.start();
        run.outlet.askAgain(turn);
        turn.end(STOPPED);
        return "over";
      case "later":
        turn.accept({ origin, canBranch: agent.canBranch });
        this.#paused = undefined;
        await run.tellRest(turn);
        return "accepted";
      case "other":
        run.outlet.drop();
        await run.ended;
        this.#paused = undefined;
        return "next";
    }
  }

  /** Sees an accepted turn to its end, or till it ends with a question: on this process, or in the place for one. */
  async run(turn: Turn, process: AgentProcess | undefined): Promise<void> {
    await this.#follow(this.#begin(turn, process), turn);
  }

  /** Denies what nobody has answered, and ends the run that is paused. */
  async giveUp(): Promise<void> {
    const run = this.#paused;
    run?.outlet.giveUp();
    await run?.ended;
    this.#paused = undefined;
  }

  /** Stops the run that is paused, if that turn ended with its question. */
  cancel(turn: string, why: string): void {
    this.#paused?.outlet.cancelPaused(turn, why);
  }

  /** What is kept of a run is lost with its process, which bounds it. */
  forgetLost(): void {
    if (this.#paused?.state !== "over" || !this.#options.agent.warm.isCold) return;
    const { session, around } = this.#options;
    if (this.#paused.outlet.hasKept) around.log.warn("session.rest_dropped", { session });
    this.#paused = undefined;
  }

  /** A worker that closes leaves to the next one what that one may run or finish. */
  end(turn: Turn, { end, anchor }: AttemptedTurn): void {
    const { agent } = this.#options;
    const isCut = agent.isClosing && end.state === "interrupted";
    if (isCut && (turn.state === "accepted" || agent.mayResume(turn))) turn.leave();
    else turn.end(end, anchor);
  }

  /**
   * What is answered to a turn that is nothing but a verdict on an ask that is not open: its agent might take it for leave
   * to do something else. Undefined: it is to be run. Throws `ask_settled` where no answer ends with a question.
   */
  #asideFor(turn: Turn, { kind }: TurnOrigin): string | undefined {
    const isSettled = this.#paused?.outlet.lastAsk?.isOpen === false; // then it is told the rest
    if (turn.state === "started" || kind !== "end" || isSettled) return undefined;
    const { session, settings, around } = this.#options;
    const { said, request } = turn.order;
    const late = said && around.asks.meantBy(said, session, request.caller);
    if (late !== undefined && settings.asks.mode === "hold") throw settledAlready(late);
    if (late !== undefined) return tooLate(late);
    const lost = this.#paused === undefined ? lostQuestion(turn, around.journal) : undefined;
    return lost && lostText(lost, around.asks.settlementOf(lost.id));
  }

  #answer(turn: Turn, origin: TurnOrigin, text: string): "over" {
    turn.accept({ origin });
    turn.start();
    turn.say({ kind: turn.order.answerSchema === undefined ? "question" : "note", text });
    turn.end(STOPPED);
    return "over";
  }

  #begin(turn: Turn, process: AgentProcess | undefined): AgentRun {
    const { agent, settings, around, onChange } = this.#options;
    const { asks, files: store, log } = around;
    const { limits, path: workspacePath } = around.configuration;
    const files = new TurnFiles({ policy: settings.files, store, workspacePath, limits, log });
    const outlet = new TurnOutlet({ turn, settings, asks, files, answerBytes: limits.answerBytes });
    const ended = this.#attempt(turn, process, outlet).finally(() => agent.warm.rest());
    return new AgentRun(outlet, turn.order.request.caller, ended, onChange);
  }

  async #attempt(turn: Turn, warm: AgentProcess | undefined, outlet: TurnOutlet): Promise<AttemptedTurn> {
    const { agent, around } = this.#options;
    const { limits } = around.configuration;
    const onAccountHeld = (untilMs: number) => around.onAccountHeld(untilMs);
    try {
      return await runAttempts({ agent, turn, outlet, warm, limits, onAccountHeld });
    } catch (error) {
      return { end: turn.failed(error) };
    }
  }

  async #follow(run: AgentRun, turn: Turn): Promise<void> {
    const attempted = await Promise.race([run.ended, run.outlet.paused]);
    if (attempted !== undefined) return this.end(turn, attempted);
    turn.end(STOPPED);
    this.#paused = run;
    this.#options.onChange();
  }
}

function tooLate({ behavior, by }: AskSettlement): string {
  return `Too late: that question has its verdict already (${behavior}, by ${by}). This is not told to the agent.`;
}
