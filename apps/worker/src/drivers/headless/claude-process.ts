import { isDeepStrictEqual } from "node:util";
import type { CloseReason, Logger } from "@synthesis/kit";
import type { Prompt } from "@synthesis/protocol";
import type { AgentChild } from "../../process/agent-child.ts";
import { LineSplitter } from "../../process/line-splitter.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import type { KeepRules } from "../claude/keep-rules.ts";
import type { HeadlessSettings } from "./claude-arguments.ts";
import { parseClaudeLine, type ClaudeLine } from "./claude-line.ts";
import {
  initializeRequest,
  interruptRequest,
  userMessage,
  withdrawRequest,
  type Handshake,
} from "./claude-message.ts";
import { ClientServer } from "./client-server.ts";
import { ControlRequests } from "./control-requests.ts";
import { endOfClaude, endOfCutTurn } from "./end-of-claude.ts";
import { FILE_SERVER, offersAttachTool } from "./file-server.ts";
import { promptContent } from "./prompt-content.ts";
import { Prompter } from "./prompter.ts";
import { RunningTurn, type TurnStep } from "./running-turn.ts";
import { isRefusal } from "./session-refusal.ts";
import type { ReadTurn } from "./turn-reader.ts";
import type { TurnTrace } from "./turn-trace.ts";

/** What a Claude process needs from the outside. */
export interface ClaudeProcessOptions {
  /** The program as configured, for messages. */
  readonly bin: string;
  readonly settings: Pick<HeadlessSettings, "model" | "instructions" | "reasoning" | "files">;
  /** The model that it is started with. */
  readonly startModel: string | undefined;
  readonly maxLineBytes: number;
  /** The longest pause for a rate limit that a turn sits out, in ms. */
  readonly rateLimitMs: number;
  /** Of the turn that it is opened to finish: what the transcript had of it before it was started. */
  readonly cutTurn: TurnTrace | undefined;
  /** The folder that it works in. */
  readonly workspacePath: string;
  /** What the process was started with. */
  readonly answerSchema: AgentTurn["answerSchema"];
  readonly handshake: Handshake;
  /** The client's instructions that the handshake has. */
  readonly instructions: string | undefined;
  /** It answers one question, and no other. */
  readonly isStateless: boolean;
  readonly log: Logger;
  readonly keepRules: KeepRules;
  /** Claude said something when no turn ran: counted, never delivered. */
  onUnsolicited(): void;
  /** What the transcript has of a turn; asked once the process is gone. */
  traceTurn(turnId: string): Promise<TurnTrace>;
  /** Starts the process; its output goes to `onStdout`. */
  spawn(onStdout: (chunk: Buffer) => void): AgentChild;
}

/** One persistent Claude Code process that speaks stream-json: one session, one turn at a time. */
export class ClaudeProcess implements AgentProcess {
  readonly closed: Promise<CloseReason>;
  readonly #options: ClaudeProcessOptions;
  readonly #child: AgentChild;
  readonly #lines: LineSplitter;
  readonly #started = Promise.withResolvers<void>();
  readonly #server = new ClientServer();
  readonly #prompter: Prompter;
  readonly #requests: ControlRequests;
  #turn: RunningTurn | undefined;
  /** Whether it took up a prompt: from then on a refused session id is no explanation any more. */
  #hasBegun = false;
  #anchor: string | undefined;

  constructor(options: ClaudeProcessOptions) {
    this.#options = options;
    this.#prompter = new Prompter({ ...options, server: this.#server });
    this.#requests = new ControlRequests({
      workspacePath: options.workspacePath,
      keepRules: options.keepRules,
      server: this.#server,
      turn: () => this.#turn,
      write: (line) => this.#child.write(line),
    });
    this.#lines = new LineSplitter(options.maxLineBytes, (text) => this.#readLine(text));
    this.#child = options.spawn((chunk) => this.#readChunk(chunk));
    const servers = offersAttachTool(options.settings, options) ? [FILE_SERVER] : [];
    this.#child.write(initializeRequest(options.handshake, servers)); // its answer is not waited for: Claude keeps the order
    this.closed = this.#child.closed.then(async (reason) => {
      this.#started.resolve();
      const end = await endOfClaude({
        ...options,
        isStarted: this.pid !== undefined,
        hasBegun: this.#hasBegun,
        how: reason.message,
        said: this.#child.stderrTail,
        turn: this.#turn,
      });
      this.#end(end);
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

  get anchor(): string | undefined {
    return this.#anchor;
  }

  /** "No model" is for Claude the one that it was started with, which may have been that of a cut turn. */
  fits({ answerSchema, model }: AgentTurn): boolean {
    const { isStateless, answerSchema: own, startModel, settings } = this.#options;
    const isOfOther = startModel !== undefined && settings.model === undefined && model === undefined;
    return !isStateless && !isOfOther && isDeepStrictEqual(answerSchema, own);
  }

  async run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    events.onStart();
    const cut = turn.resumes ? this.#options.cutTurn : undefined;
    if (cut?.state === "finished" || cut?.state === "stopped") return endOfCutTurn(cut, turn.shown, events);
    const running = new RunningTurn({
      turn: this.#reading(turn, cut?.state === "unfinished" ? cut.text : ""),
      events,
      withdraw: (message) => this.#child.write(withdrawRequest(message)),
      onUnsettled: () => {
        const message = "it did not say whether it drops what was withdrawn";
        void this.kill({ code: "unresponsive", message }); // it might begin that in the next turn
      },
    });
    this.#turn = running;
    const asked = cut?.state !== "unfinished"; // that one Claude begins by itself, at its start
    this.#child.write(this.#prompter.linesOf(turn, { asked }));
    return running.ended;
  }

  async steer(message: string, prompt: Prompt): Promise<boolean> {
    if (this.#turn === undefined) return false;
    const write = () => this.#child.write(userMessage(message, promptContent(prompt)));
    return this.#turn.steer(message, write);
  }

  withdrawSteer(message: string): void {
    this.#turn?.withdrawSteer(message);
  }

  interrupt(): void {
    if (!this.#turn) return;
    this.#turn.closeToSteers();
    this.#child.write(interruptRequest());
    this.#requests.dropAsks();
  }

  async close(reason: CloseReason): Promise<void> {
    await this.#child.close(reason);
    await this.closed;
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.#child.kill(reason);
    await this.closed;
  }

  #reading({ id, shown, answerSchema }: AgentTurn, standing: string): ReadTurn {
    const { rateLimitMs, settings } = this.#options;
    return {
      id,
      rateLimitMs,
      reasoning: settings.reasoning,
      isStructured: answerSchema !== undefined,
      shown,
      standing,
      offers: (name) => this.#server.has(name),
    };
  }

  #readChunk(chunk: Buffer): void {
    this.#started.resolve();
    try {
      this.#lines.push(chunk);
    } catch (error) {
      void this.kill({ code: "line_too_long", message: `Claude wrote ${String(error)}` });
    }
  }

  #readLine(text: string): void {
    const line = parseClaudeLine(text);
    if (line === undefined) {
      this.#options.log.warn("claude.unreadable_line", { pid: this.pid, characters: text.length });
      return;
    }
    if (line.type === "control_request") this.#requests.answer(line);
    if (line.type === "control_cancel_request") this.#requests.withdraw(line.request_id);
    if (!this.#hasBegun && isRefusal(line)) return this.#end({ state: "session_lost" });
    if (line.type === "system" || line.type === "assistant") this.#hasBegun = true;
    if (this.#turn === undefined && (line.type === "assistant" || line.type === "result"))
      this.#noteUnsolicited(line);
    if (this.#turn !== undefined) this.#step(this.#turn, this.#turn.read(line));
  }

  #step({ reader }: RunningTurn, step: TurnStep): void {
    if (step === undefined) return;
    if (step === "astray") {
      const message = "it began what was withdrawn too late";
      return void this.kill({ code: "steer_too_late", message });
    }
    this.#anchor = reader.anchor;
    const isDeferred = step.state === "completed" && step.finishReason === "tool_calls";
    this.#prompter.openCalls = isDeferred ? reader.calls.open : [];
    this.#end(step);
  }

  #noteUnsolicited({ type }: ClaudeLine): void {
    this.#options.onUnsolicited();
    this.#options.log.warn("claude.unsolicited", { pid: this.pid, type });
  }

  #end(end: AgentTurnEnd): void {
    const turn = this.#turn;
    this.#turn = undefined;
    this.#requests.dropAsks();
    turn?.end(end);
  }
}
