import type { AgentSettings } from "@synthesis/config";
import { WireFailure, type AskVerdict, type Attachment, type WireError } from "@synthesis/protocol";
import type { AskRequest } from "../asks/ask-request.ts";
import type { OpenAsk } from "../asks/open-ask.ts";
import type { PendingAsk } from "../asks/pending-ask.ts";
import { questionText } from "../asks/question-text.ts";
import type { WorkspaceAsks } from "../asks/workspace-asks.ts";
import type { Steerable } from "../drivers/agent-process.ts";
import type { TurnFiles } from "../files/turn-files.ts";
import { AnswerLayout } from "./answer-layout.ts";
import { errorOf } from "./error-of.ts";
import { InOrder } from "./in-order.ts";
import { TurnAsks } from "./turn-asks.ts";
import type { AnswerEvent, RemarkEvent, TurnEvent } from "./turn-event.ts";
import type { Turn } from "./turn.ts";

export interface TurnOutletOptions {
  readonly turn: Turn;
  readonly settings: AgentSettings;
  readonly asks: WorkspaceAsks;
  readonly files: TurnFiles;
  /** Longest answer: its text, calls, files and questions. */
  readonly answerBytes: number;
}

/**
 * told: to the turn at hand. kept: that has ended with a question, and the next one will be told. dropped: nobody wants
 * it any more.
 */
type State = "told" | "kept" | "dropped";

/**
 * Where what an agent does in a run goes: to its turn and, where that ends with a question (`asks.mode: chat`), to
 * the one that brings the verdict. What comes in between is kept; its length is bounded by the run.
 */
export class TurnOutlet {
  readonly #options: TurnOutletOptions;
  readonly #stop = new AbortController();
  readonly #onCancel = () => this.#stop.abort(this.#turn.cancel.reason);
  readonly #asks: TurnAsks;
  readonly #layout: AnswerLayout;
  #state: State = "told";
  /** The turn at hand, or the last one. */
  #turn: Turn;
  #process: Steerable | undefined;
  #paused = Promise.withResolvers<undefined>();
  readonly #kept: TurnEvent[] = [];
  #answerBytes = 0;
  /** The text, its files and its questions. */
  readonly #order = new InOrder((cause) => this.#stop.abort(WireFailure.from(errorOf(cause))));

  constructor(options: TurnOutletOptions) {
    const { turn, settings, asks } = options;
    this.#options = options;
    this.#turn = turn;
    this.#layout = new AnswerLayout(turn);
    this.#asks = new TurnAsks({
      settings,
      asks,
      onNext: () => this.#order.add(() => this.#askNext()),
      onSettled: (settlement) => this.#tell({ kind: "ask_settled", settlement }),
    });
    this.#follow(turn);
  }

  /** Aborts with a `WireFailure` when the run is to stop. */
  get cancel(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves when the turn at hand is to end with the question that it was told last; the run goes on without it. */
  get paused(): Promise<undefined> {
    return this.#paused.promise;
  }

  /** The ask that was told last. */
  get lastAsk(): OpenAsk | undefined {
    return this.#asks.last;
  }

  /** Whether there is something that the next turn is to be told. */
  get hasKept(): boolean {
    return this.#kept.length > 0;
  }

  start(): void {
    this.#turn.start();
  }

  /** More of the answer; where that is too long with it, why: then it is not told. */
  answer(event: AnswerEvent): WireError | undefined {
    const problem = this.#count(event.kind === "text" ? event.text : event.call.arguments);
    if (problem === undefined) this.#order.add(() => this.#tell(event));
    return problem;
  }

  /** Of thinking and notes that nobody follows nothing is kept. */
  remark(event: RemarkEvent): void {
    if (this.#state === "told") this.#turn.say(event);
  }

  /** Resolves once the text and the files that came so far are told; rejects where they cannot be, and the run is stopped then. */
  get allTold(): Promise<void> {
    return this.#order.allDone;
  }

  /**
   * A file, in its place; what comes after it waits for it. Resolves with what stands for it in the answer, and with
   * why where it is not attached (then that is what `instead` makes of it) and where the answer is too long with it.
   * Never rejects.
   */
  async attach(
    attachment: Attachment,
    instead: (problem: string) => string,
    signal: AbortSignal,
  ): Promise<{ readonly problem?: string | undefined; readonly tooLong?: WireError | undefined }> {
    const toldAs = this.#order.reserve();
    const { filesUrl } = this.#turn.order;
    const file = await this.#options.files.attach(attachment, filesUrl, signal);
    const text = "text" in file ? file.text : instead(file.problem);
    toldAs(() => this.#tell({ kind: "file", text }));
    return { problem: "text" in file ? undefined : file.problem, tooLong: this.#count(text) };
  }

  /** Taken up too late for its turn, it is that turn's all the same: it is never said again. */
  steered(message: string): void {
    if (this.#state !== "dropped") this.#turn.steered(message);
  }

  runsOn(process: Steerable | undefined): void {
    this.#process = process;
    if (this.#state === "told") this.#turn.runsOn(process);
  }

  /** Asks a person. */
  ask(request: AskRequest): PendingAsk {
    return this.#asks.ask(request, this.#turn.order);
  }

  /**
   * The run goes on in another turn, which is told what was kept. With a verdict on the ask that the last one ended
   * with, where that is open; without one, nothing more is asked, since the turn has a prompt of its own.
   */
  handTo(turn: Turn, verdict: AskVerdict | undefined): void {
    this.#state = "told";
    this.#turn = turn;
    this.#layout.goOnIn(turn);
    this.#paused = Promise.withResolvers();
    this.#follow(turn);
    turn.runsOn(this.#process);
    for (const event of this.#kept.splice(0)) this.#tell(event);
    if (verdict === undefined) return this.#asks.moveOn();
    this.#asks.goOn(verdict);
    this.#askNext();
  }

  /** Tells the ask that its turn ended with once more, in another turn that brought no answer to it. */
  askAgain(turn: Turn): void {
    const ask = this.lastAsk;
    if (ask === undefined) return;
    this.#turn = turn;
    this.#layout.goOnIn(turn);
    ask.tell(this.#place);
    this.#askIn(turn, ask);
  }

  /** Nobody wants the rest: denies what is open and stops the run. */
  drop(): void {
    this.#asks.moveOn();
    this.#end("the user has gone on to something else");
  }

  /** Its process is needed elsewhere: as {@link drop}, though nobody has said anything. */
  giveUp(): void {
    this.#asks.giveUp();
    this.#end("nobody answered, and its place was needed");
  }

  /** The turn that ended with its question is cancelled, if it is this one: as {@link drop}. */
  cancelPaused(turn: string, why: string): void {
    if (this.#state !== "kept" || this.#turn.id !== turn) return;
    this.#asks.cancel();
    this.#end(why);
  }

  #end(why: string): void {
    this.#state = "dropped";
    this.#kept.length = 0;
    this.#stop.abort(new WireFailure("turn_cancelled", why));
  }

  #follow({ cancel }: Turn): void {
    if (cancel.aborted) return this.#onCancel();
    cancel.addEventListener("abort", this.#onCancel, { once: true });
  }

  #tell(event: TurnEvent): void {
    if (this.#state === "kept") this.#keep(event);
    if (this.#state !== "told") return;
    if (event.kind === "text") this.#layout.text(event.text);
    else if (event.kind === "file") this.#layout.file(event.text);
    else this.#turn.say(event);
  }

  #keep(event: TurnEvent): void {
    const last = this.#kept.at(-1);
    if (last?.kind === "text" && event.kind === "text")
      this.#kept[this.#kept.length - 1] = { kind: "text", text: last.text + event.text };
    else this.#kept.push(event);
  }

  /** Where a question can be told. */
  get #place(): "in_answer" | "elsewhere" {
    return this.#layout.isFree ? "in_answer" : "elsewhere";
  }

  #askNext(): void {
    const ask = this.#state === "told" ? this.#asks.takeNext(this.#place) : undefined;
    if (ask !== undefined) this.#askIn(this.#turn, ask);
  }

  /** An answer that is to meet a schema has no place for a question, and cannot end with one. */
  #askIn(turn: Turn, ask: OpenAsk): void {
    const { mode, by } = this.#options.settings.asks;
    const endsIt = ask.info.isInAnswer === true && (mode === "chat" || turn.order.isReadWhole === true);
    const isHeld = mode === "hold" && by.includes("chat");
    const words = questionText(ask, by, endsIt ? "decides" : isHeld ? "verdict" : "nothing");
    const tooLong = this.#count(words);
    if (tooLong !== undefined) return this.#stop.abort(WireFailure.from(tooLong));
    this.#layout.question(words);
    turn.say({ kind: "asked", ask: ask.info });
    if (endsIt) this.#pause(turn);
  }

  #count(more: string): WireError | undefined {
    const { answerBytes } = this.#options;
    this.#answerBytes += Buffer.byteLength(more);
    if (this.#answerBytes <= answerBytes) return undefined;
    const message = `the answer is longer than ${answerBytes} bytes (limits.answerBytes): it was stopped`;
    return { code: "turn_failed", message };
  }

  #pause(turn: Turn): void {
    this.#state = "kept";
    turn.cancel.removeEventListener("abort", this.#onCancel);
    turn.steers.withdrawAll();
    turn.runsOn(undefined);
    this.#paused.resolve(undefined);
  }
}
