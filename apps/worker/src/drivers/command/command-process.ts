import type { CloseReason } from "@synthesis/kit";
import type { Prompt, TurnEnd, WireError } from "@synthesis/protocol";
import type { FilePart } from "../../files/file-part.ts";
import type { Inbox } from "../../files/inbox.ts";
import type { Child } from "../../process/child.ts";
import { errorOf } from "../../turn/error-of.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { fileParts } from "../prompt-text.ts";
import { CANCELLED } from "./end-of-frame.ts";
import { endOfProgram } from "./end-of-program.ts";
import { PluginDialogue, type PluginDialogueOptions, type Reach } from "./plugin-dialogue.ts";
import { PluginTurn } from "./plugin-turn.ts";

/** What a command process needs from the outside. */
export interface CommandProcessOptions<C extends Child = Child> extends PluginDialogueOptions {
  /** Where the files of prompts are put for it. */
  readonly inbox: Inbox;
  /** Starts the program with the bridge URL in its environment. */
  spawn(bridgeUrl: string): C;
}

/** Any program that speaks the plugin frames over the bridge: one session, one turn at a time. */
export class CommandProcess<C extends Child = Child> implements AgentProcess {
  readonly child: C;
  readonly started: Promise<void>;
  readonly closed: Promise<CloseReason>;
  /** Its conversation cannot branch. */
  readonly anchor = undefined;
  readonly #program: string;
  readonly #inbox: Inbox;
  readonly #dialogue: PluginDialogue;
  /** Why the process has ended. */
  #gone: CloseReason | undefined;
  /** Why the process is being killed within its turn; the turn ends so once it is dead. */
  #cause: TurnEnd | undefined;

  constructor(options: CommandProcessOptions<C>) {
    this.#program = options.program;
    this.#inbox = options.inbox;
    this.#dialogue = new PluginDialogue(options, (end) => this.#abandon(end));
    this.child = options.spawn(this.#dialogue.url);
    this.closed = this.child.closed.then(async (reason) => {
      this.#dialogue.close();
      this.#gone = reason;
      this.#dialogue.end(this.#cause ?? this.#endOfTurn(reason));
      await this.#inbox.release();
      return reason;
    });
    this.started = Promise.race([this.#dialogue.greeted, this.closed.then(() => {})]);
  }

  /** How far what it is told is known to have come. */
  get reach(): Reach {
    return this.#dialogue.reach;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get isAlive(): boolean {
    return this.child.isAlive;
  }

  async run({ id, prompt }: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    if (this.#gone !== undefined) return this.#endOfTurn(this.#gone);
    const turn = new PluginTurn(id, events);
    const parts = fileParts(prompt);
    if (parts.length === 0) turn.makeReady({ prompt, files: [] });
    this.#dialogue.begin(turn);
    if (parts.length > 0) void this.#receive(turn, prompt, parts);
    return turn.end;
  }

  /** A program that cannot be told to stop is ended: a late answer must never meet the next turn. */
  interrupt(): void {
    const { turn } = this.#dialogue;
    if (turn === undefined || this.withdraw(CANCELLED) || this.#dialogue.cancel(turn)) return;
    void this.kill({ code: "cancelled", message: "the turn was cancelled" });
  }

  /** Ends the running turn, unless its prompt was sent: then it is for the program to end. Returns whether none runs now. */
  withdraw(end: AgentTurnEnd): boolean {
    if (this.#dialogue.turn?.isPrompted === true) return false;
    this.#dialogue.end(end);
    return true;
  }

  /** Nothing will come of the running turn, as somebody knows who looks at the program: it fails; one that was prompted is ended too. */
  giveUp(error: WireError): void {
    if (!this.withdraw({ state: "failed", error })) this.#abandon({ state: "failed", error });
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
    this.#dialogue.close(); // first: a reconnect must find its token void
    await this.child.close(reason);
    await this.closed;
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.child.kill(reason);
    await this.closed;
  }

  /**
   * Puts the files of its prompt where the program can open them; a turn that ends before that is asked nothing. They go
   * with a turn that was never prompted.
   */
  async #receive(turn: PluginTurn, prompt: Prompt, parts: readonly FilePart[]): Promise<void> {
    try {
      const files = await this.#inbox.keep(parts, turn.over);
      this.#dialogue.makeReady(turn, { prompt, files });
      await turn.end;
      if (!turn.isPrompted) await this.#inbox.remove(files);
    } catch (error) {
      if (!turn.over.aborted) this.withdraw({ state: "failed", error: errorOf(error) });
    }
  }

  /** How the end of its process ends the running turn. */
  #endOfTurn({ message: how }: CloseReason): AgentTurnEnd {
    const { turn, lost } = this.#dialogue;
    const [isStarted, isPrompted] = [this.pid !== undefined, turn?.isPrompted ?? false];
    return endOfProgram({ program: this.#program, isStarted, isPrompted, how, lost });
  }

  /** Ends the process and the turn with it. */
  #abandon(end: TurnEnd): void {
    this.#cause = end;
    void this.kill({ code: "abandoned", message: "its turn was given up" });
  }
}
