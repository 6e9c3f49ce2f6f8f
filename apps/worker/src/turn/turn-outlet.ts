import type { AgentSettings } from "@synthesis/config";
import { AskSettler, WireFailure, type AskVerdict, type ToolCallDelta } from "@synthesis/protocol";
import type { OpenAsk } from "../asks/open-ask.ts";
import { questionText } from "../asks/question-text.ts";
import { standingVerdict } from "../asks/standing-verdict.ts";
import type { WorkspaceAsks } from "../asks/workspace-asks.ts";
import type { AskRequest, Steerable } from "../drivers/agent-process.ts";
import type { Turn } from "./turn.ts";

export interface TurnOutletOptions {
  readonly turn: Turn;
  readonly settings: AgentSettings;
  readonly asks: WorkspaceAsks;
}

/**
 * told: to the turn at hand. kept: that has ended with a question, and the next one will be told. denying: told, but
 * the turn waits with a prompt of its own, so nothing is asked. dropped: nobody wants it any more.
 */
type State = "told" | "kept" | "denying" | "dropped";

const BESIDE: AskVerdict = { behavior: "deny", message: "the user has gone on to something else" };

/**
 * Where what an agent does in a run goes: to its turn and, where that ends with a question (`asks.mode: chat`), to
 * the one that brings the verdict. What comes in between is kept; its length is bounded by the run.
 */
export class TurnOutlet {
  readonly #options: TurnOutletOptions;
  readonly #stop = new AbortController();
  readonly #onCancel = () => this.#stop.abort(this.#turn.cancel.reason);
  #state: State = "told";
  /** The turn at hand, or the last one. */
  #turn: Turn;
  #process: Steerable | undefined;
  #parted = Promise.withResolvers<undefined>();
  /** Whether the next text is the first of a turn that another one began. */
  #isContinued = false;
  readonly #kept: ((turn: Turn) => void)[] = [];
  /** What the last turn ended with. */
  #last: OpenAsk | undefined;
  readonly #untold = new Set<OpenAsk>();
  /** Ids of those that were told. */
  readonly #told = new Set<string>();
  /** Whether the last thing that was told is a question. */
  #isAfterQuestion = false;

  constructor(options: TurnOutletOptions) {
    this.#options = options;
    this.#turn = options.turn;
    this.#follow(options.turn);
  }

  /** Aborts with a `WireFailure` when the run is to stop. */
  get cancel(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves when the turn at hand is to end with the question that it was told last; the run goes on without it. */
  get parted(): Promise<undefined> {
    return this.#parted.promise;
  }

  /** The ask that the last turn ended with. */
  get lastAsk(): OpenAsk | undefined {
    return this.#last;
  }

  /** Whether there is something that the next turn is to be told. */
  get hasKept(): boolean {
    return this.#kept.length > 0;
  }

  start(): void {
    this.#turn.start();
  }

  text(text: string): void {
    this.#tell((turn) => this.#say(turn, text));
  }

  toolCall(call: ToolCallDelta): void {
    this.#tell((turn) => turn.toolCall(call));
  }

  /** Of what nobody follows nothing is kept. */
  reasoning(text: string): void {
    if (this.#isTold) this.#turn.reasoning(text);
  }

  note(text: string): void {
    if (this.#isTold) this.#turn.note(text);
  }

  steered(message: string): void {
    if (this.#isTold) this.#turn.steered(message);
  }

  runsOn(process: Steerable | undefined): void {
    this.#process = process;
    if (this.#isTold) this.#turn.runsOn(process);
  }

  /** Asks a person; never rejects. What `withdrawn` aborts with says by whom it is denied then. */
  async ask(request: AskRequest, withdrawn: AbortSignal): Promise<AskVerdict> {
    const { asks, settings } = this.#options;
    const { order } = this.#turn;
    const standing = standingVerdict(settings, request.tool);
    if (standing !== undefined) return standing;
    if (this.#state === "denying" || this.#state === "dropped" || order.isStateless === true) return BESIDE;
    const ask = asks.open(request, { order, settings: settings.asks }, (settlement) => {
      if (this.#told.delete(settlement.ask)) this.#tell((turn) => turn.askSettled(settlement));
    });
    const onWithdrawn = () => ask.settle({ behavior: "deny" }, settlerOf(withdrawn));
    withdrawn.addEventListener("abort", onWithdrawn, { once: true });
    if (withdrawn.aborted) onWithdrawn();
    this.#untold.add(ask);
    this.#askNext();
    try {
      return await ask.verdict;
    } finally {
      this.#untold.delete(ask);
      withdrawn.removeEventListener("abort", onWithdrawn);
    }
  }

  /**
   * The run goes on in another turn, which is told what was kept. With a verdict on the ask that the last one ended
   * with, where that is open; without one, nothing more is asked, since the turn has a prompt of its own.
   */
  handTo(turn: Turn, verdict: AskVerdict | undefined): void {
    this.#state = verdict === undefined ? "denying" : "told";
    this.#turn = turn;
    this.#isContinued = true;
    this.#isAfterQuestion = false;
    this.#parted = Promise.withResolvers();
    this.#follow(turn);
    turn.runsOn(this.#process);
    for (const tell of this.#kept.splice(0)) tell(turn);
    if (verdict !== undefined) this.#last?.settle(verdict, "chat");
    else for (const ask of this.#untold) ask.settle(BESIDE, "chat");
    this.#askNext();
  }

  /** Nobody wants the rest: denies what is open and stops the run. */
  drop(): void {
    this.#state = "dropped";
    this.#kept.length = 0;
    for (const ask of [this.#last, ...this.#untold]) ask?.settle(BESIDE, "chat");
    this.#stop.abort(new WireFailure("turn_cancelled", "the user has gone on to something else"));
  }

  get #isTold(): boolean {
    return this.#state === "told" || this.#state === "denying";
  }

  #follow({ cancel }: Turn): void {
    if (cancel.aborted) return this.#onCancel();
    cancel.addEventListener("abort", this.#onCancel, { once: true });
  }

  #tell(tell: (turn: Turn) => void): void {
    if (this.#isTold) tell(this.#turn);
    else if (this.#state === "kept") this.#kept.push(tell);
  }

  #say(turn: Turn, text: string): void {
    const fresh = this.#isContinued ? text.trimStart() : text;
    if (fresh === "") return;
    if (this.#isAfterQuestion && !fresh.startsWith("\n")) turn.question("\n\n");
    this.#isContinued = false;
    this.#isAfterQuestion = false;
    turn.text(fresh);
  }

  #askNext(): void {
    for (const ask of this.#untold) {
      if (this.#state !== "told") return;
      this.#untold.delete(ask);
      if (ask.isOpen) this.#askIn(this.#turn, ask);
    }
  }

  /** An answer that is to meet a schema has no place for a question, and cannot end with one. */
  #askIn(turn: Turn, ask: OpenAsk): void {
    const isFree = turn.order.answerSchema === undefined;
    const isInChat = isFree && this.#options.settings.asks.mode === "chat";
    const words = questionText(ask.info, isInChat);
    if (isFree) turn.question(turn.hasText ? `\n\n${words}` : words);
    else turn.note(`${words}\n`);
    this.#isAfterQuestion = isFree;
    this.#told.add(ask.info.id);
    turn.asked(ask.info);
    if (isInChat) this.#part(turn, ask);
  }

  #part(turn: Turn, ask: OpenAsk): void {
    this.#last = ask;
    this.#state = "kept";
    turn.cancel.removeEventListener("abort", this.#onCancel);
    turn.runsOn(undefined);
    this.#parted.resolve(undefined);
  }
}

function settlerOf({ reason }: AbortSignal): AskSettler {
  return AskSettler.safeParse(reason).data ?? "agent";
}
