import type { CloseReason, Logger } from "@synthesis/kit";
import type { AgentChild } from "../../process/agent-child.ts";
import { LineSplitter } from "../../process/line-splitter.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { parseClaudeLine, type ClaudeLine } from "./claude-line.ts";
import { interruptRequest, refusal, setModelRequest, userMessage } from "./claude-message.ts";
import { endOfClaude, endOfCutTurn } from "./end-of-claude.ts";
import { isRefusal, isRefusalText } from "./session-refusal.ts";
import { TurnReader } from "./turn-reader.ts";
import type { TurnTrace } from "./turn-trace.ts";

/** What a Claude process needs from the outside. */
export interface ClaudeProcessOptions {
  /** The program as configured, for messages. */
  readonly bin: string;
  /** The agent's own model. */
  readonly model: string | undefined;
  /** The model that it is started with. */
  readonly startModel: string | undefined;
  readonly maxLineBytes: number;
  /** The longest pause for a rate limit that a turn sits out, in ms. */
  readonly rateLimitMs: number;
  /** Of the turn that it is opened to finish: what the transcript had of it before it was started. */
  readonly cutTurn: TurnTrace | undefined;
  readonly log: Logger;
  /** Claude said something when no turn ran: counted, never delivered. */
  onUnsolicited(): void;
  /** What the transcript has of a turn; asked once the process is gone. */
  traceTurn(turnId: string): Promise<TurnTrace>;
  /** Starts the process; its output goes to `onStdout`. */
  spawn(onStdout: (chunk: Buffer) => void): AgentChild;
}

interface RunningTurn {
  readonly id: string;
  readonly reader: TurnReader;
  readonly settle: (end: AgentTurnEnd) => void;
  /** Whether Claude said anything since the prompt was written. */
  isHeard: boolean;
}

/** One persistent Claude Code process that speaks stream-json: one session, one turn at a time. */
export class ClaudeProcess implements AgentProcess {
  readonly closed: Promise<CloseReason>;
  readonly #options: ClaudeProcessOptions;
  readonly #child: AgentChild;
  readonly #lines: LineSplitter;
  readonly #started = Promise.withResolvers<void>();
  #turn: RunningTurn | undefined;
  /** Whether it took up a prompt: from then on a refused session id is no explanation any more. */
  #hasBegun = false;
  #model: string | undefined;

  constructor(options: ClaudeProcessOptions) {
    this.#options = options;
    this.#model = options.startModel;
    this.#lines = new LineSplitter(options.maxLineBytes, (text) => this.#readLine(text));
    this.#child = options.spawn((chunk) => this.#readChunk(chunk));
    this.closed = this.#child.closed.then(async (reason) => {
      this.#started.resolve();
      this.#end(await this.#endOfDeadProcess(reason));
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

  async run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    events.onStart();
    const cut = turn.resumes ? this.#options.cutTurn : undefined;
    if (cut?.state === "finished" || cut?.state === "stopped") return endOfCutTurn(cut, turn.shown, events);
    const { id, shown } = turn;
    const { rateLimitMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<AgentTurnEnd>();
    const standing = cut?.state === "unfinished" ? cut.text : "";
    const reader = new TurnReader({ id, rateLimitMs, shown, standing }, events);
    this.#turn = { id, reader, settle: resolve, isHeard: false };
    if (cut?.state !== "unfinished") this.#prompt(turn); // that one Claude begins by itself, at its start
    return promise;
  }

  interrupt(): void {
    if (this.#turn) this.#child.write(interruptRequest());
  }

  async close(reason: CloseReason): Promise<void> {
    await this.#child.close(reason);
    await this.closed;
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.#child.kill(reason);
    await this.closed;
  }

  #prompt(turn: AgentTurn): void {
    const model = turn.model ?? this.#options.model;
    if (model !== this.#model) this.#child.write(setModelRequest(model));
    this.#model = model;
    this.#child.write(userMessage(turn.id, turn.prompt));
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
    if (line.type === "control_request") this.#child.write(refusal(line.request_id, line.request.subtype));
    if (!this.#hasBegun && isRefusal(line)) return this.#end({ state: "session_lost" });
    if (line.type === "system" || line.type === "assistant") this.#hasBegun = true;
    if (this.#turn === undefined && (line.type === "assistant" || line.type === "result"))
      this.#noteUnsolicited(line);
    if (this.#turn === undefined || line.type === "control_response") return;
    if (line.type === "command_lifecycle" && line.command_uuid !== this.#turn.id) return; // the last turn's
    this.#turn.isHeard = true;
    const end = this.#turn.reader.read(line);
    if (end) this.#end(end);
  }

  #noteUnsolicited({ type }: ClaudeLine): void {
    this.#options.onUnsolicited();
    this.#options.log.warn("claude.unsolicited", { pid: this.pid, type });
  }

  #end(end: AgentTurnEnd): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.settle(end);
  }

  async #endOfDeadProcess({ message: how }: CloseReason): Promise<AgentTurnEnd> {
    if (!this.#hasBegun && isRefusalText(this.#child.stderrTail)) return { state: "session_lost" };
    const { bin } = this.#options;
    return endOfClaude({ bin, isStarted: this.pid !== undefined, isUnread: await this.#isUnread(), how });
  }

  /** Neither Claude nor its transcript ever named the prompt. */
  async #isUnread(): Promise<boolean> {
    if (this.#turn === undefined || this.#turn.isHeard) return false;
    try {
      return (await this.#options.traceTurn(this.#turn.id)).state === "absent";
    } catch (error) {
      this.#options.log.warn("claude.transcript_unreadable", { turn: this.#turn.id, error: String(error) });
      return false;
    }
  }
}
