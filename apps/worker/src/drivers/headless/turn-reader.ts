import type { TurnEnd, WireError } from "@synthesis/protocol";
import type { TurnEvents } from "../agent-process.ts";
import { AnswerText, type TextVerdict } from "./answer-text.ts";
import { ApiTrouble } from "./api-trouble.ts";
import type { HeadlessSettings } from "./claude-arguments.ts";
import type { ClaudeLine, ContentBlock, LineOf, ResultLine } from "./claude-line.ts";
import { ClientCalls } from "./client-calls.ts";
import { functionNameOf } from "./client-server.ts";
import { CompactionNote } from "./compaction-note.ts";
import { isEndOf, joinedEnd, judgeResult, type CompletedTurn } from "./judge-result.ts";
import { ResumedAnswer } from "./resumed-answer.ts";
import { StageReader } from "./stage-reader.ts";

/** The turn that is read. */
export interface ReadTurn {
  readonly id: string;
  /** What is told of the agent's work beside its answer. */
  readonly reasoning: HeadlessSettings["reasoning"];
  /** Its answer is what meets a schema; whatever else is said is not. */
  readonly isStructured: boolean;
  /** The longest pause for a rate limit that it sits out, in ms. */
  readonly rateLimitMs: number;
  /** Text of its answer that was handed on before its process was cut; the empty string in a new turn. */
  readonly shown: string;
  /** What of its answer stands since then: the lines to come go on after it. */
  readonly standing: string;
  /** Whether the client offers a function of this name. */
  offers(functionName: string): boolean;
}

/** The tool by which Claude Code hands in an answer that meets a schema. */
const ANSWER_TOOL = "StructuredOutput";

const DIVERGED: WireError = {
  code: "answer_diverged",
  message: "Claude's API broke off and its second answer differs from what was already sent: ask again",
};
const FORMAT_UNMET: WireError = {
  code: "answer_format_unmet",
  message:
    "Claude gave no answer that meets the JSON Schema of the request: ask again, or for something simpler",
};

/** Reads the lines of one turn: hands on its text and activity, and recognises its end. */
export class TurnReader {
  readonly #turn: ReadTurn;
  /** It, and the messages that Claude took up within it. */
  readonly #ids: Set<string>;
  readonly #events: TurnEvents;
  readonly #calls: ClientCalls;
  readonly #answer: AnswerText;
  readonly #resumed: ResumedAnswer;
  readonly #stage: StageReader;
  readonly #trouble: ApiTrouble;
  readonly #compaction: CompactionNote;
  /** A whole message came without deltas (Claude's fallback); nothing marks its end but what comes next. */
  #wholeMessageId: string | undefined;
  #wholeBlocks = 0;
  #stopReason: string | undefined;
  #anchor: string;
  /** What it used until its first result, where it goes on after one. */
  #before: CompletedTurn | undefined;

  constructor(turn: ReadTurn, events: TurnEvents) {
    const { id, rateLimitMs, shown, standing } = turn;
    this.#turn = turn;
    this.#ids = new Set([id]);
    this.#anchor = id;
    this.#events = events;
    this.#calls = new ClientCalls((call) => events.onToolCall(call));
    this.#stage = new StageReader((stage) => events.onStage(stage));
    this.#trouble = new ApiTrouble(events, rateLimitMs);
    this.#compaction = new CompactionNote((text) => events.onNote(text));
    this.#resumed = new ResumedAnswer({ shown, standing }, events);
    this.#answer = new AnswerText((text) => this.#resumed.add(text));
    if (standing === "") return;
    this.#answer.add(standing);
    this.#answer.finishMessage(false);
  }

  /** The last line of the transcript that is its own, by uuid. */
  get anchor(): string {
    return this.#anchor;
  }

  /** The calls of the client's functions in it. */
  get calls(): ClientCalls {
    return this.#calls;
  }

  /** It goes on after `end`, which was that of its first part: Claude took up another message. */
  goOn(message: string, end: TurnEnd): void {
    this.#ids.add(message);
    this.#anchor = message;
    if (end.state === "completed") this.#before = end;
  }

  /** Takes one line; the turn's end where this line is it. */
  read(line: ClaudeLine): TurnEnd | undefined {
    this.#events.onLife();
    this.#stage.read(line);
    this.#trouble.read(line);
    this.#compaction.read(line);
    if (line.type === "stream_event" && line.parent_tool_use_id == null) this.#readEvent(line);
    if (line.type === "assistant" && line.parent_tool_use_id == null) this.#readAssistant(line);
    if (line.type === "user" && line.parent_tool_use_id == null) this.#readUser(line);
    if (line.type === "system") this.#readSystem(line);
    return line.type === "result" ? this.#readResult(line) : undefined;
  }

  #readEvent({ event, abandoned_blocks }: LineOf<"stream_event">): void {
    switch (event.type) {
      case "message_start":
        this.#finishWholeMessage();
        this.#beginMessage(event.message?.id ?? "");
        this.#stopReason = undefined;
        return;
      case "content_block_start":
        this.#answer.beginBlock(event.index ?? 0);
        if (event.content_block?.type === "tool_use") this.#beginTool(event.index ?? 0, event.content_block);
        return;
      case "content_block_delta":
        if (event.delta?.text !== undefined) this.#say(event.delta.text);
        if (event.delta?.thinking !== undefined) this.#think(event.delta.thinking);
        if (event.delta?.partial_json !== undefined)
          this.#judge(this.#calls.add(event.index ?? 0, event.delta.partial_json));
        return;
      case "content_block_stop":
        return this.#judge(this.#calls.end(event.index ?? 0));
      case "message_delta":
        this.#stopReason = event.delta?.stop_reason ?? this.#stopReason;
        return;
      case "message_stop":
        if (abandoned_blocks === undefined) this.#finishMessage();
        else this.#abandon(abandoned_blocks.from_block_index ?? 0);
        return;
      default:
    }
  }

  #readAssistant({ message, error, uuid }: LineOf<"assistant">): void {
    if (error != null || message.model === "<synthetic>") return;
    this.#anchor = uuid ?? this.#anchor;
    if (this.#wholeMessageId !== message.id) {
      if (this.#answer.knows(message.id)) return; // it came as deltas
      this.#finishWholeMessage();
      this.#beginMessage(message.id);
      this.#wholeMessageId = message.id;
      this.#wholeBlocks = 0;
    }
    for (const block of message.content) {
      const index = this.#wholeBlocks++;
      if (block.type === "text" && block.text !== undefined) this.#say(block.text);
      if (block.type !== "tool_use") continue;
      this.#beginTool(index, block);
      this.#judge(this.#calls.add(index, JSON.stringify(block.input ?? {})));
      this.#judge(this.#calls.end(index));
    }
  }

  /** A tool's result; for a call that the client was told of there is none, unless Claude answered it by itself. */
  #readUser({ message, uuid }: LineOf<"user">): void {
    this.#anchor = uuid ?? this.#anchor;
    if (typeof message.content === "string") return;
    const isAnswered = message.content.some(({ tool_use_id: id }) => id !== undefined && this.#calls.has(id));
    if (isAnswered) this.#judge("diverged");
  }

  #beginMessage(id: string): void {
    this.#answer.beginMessage(id);
    this.#calls.beginMessage();
  }

  #abandon(fromBlock: number): void {
    this.#answer.abandon(fromBlock);
    this.#calls.abandon(fromBlock);
  }

  #beginTool(block: number, { id, name = "tool" }: ContentBlock): void {
    const functionName = functionNameOf(name);
    if (functionName !== undefined && id !== undefined && this.#turn.offers(functionName))
      this.#judge(this.#calls.begin(block, id, functionName));
    else if (!this.#turn.isStructured || name !== ANSWER_TOOL) this.#noteTool(`[${name}]\n`);
  }

  #say(text: string): void {
    if (this.#turn.isStructured) this.#think(text);
    else this.#judge(this.#answer.add(text));
  }

  #think(text: string): void {
    if (this.#turn.reasoning === "full") this.#events.onReasoning(text);
  }

  #noteTool(text: string): void {
    if (this.#turn.reasoning !== "none") this.#events.onReasoning(text);
  }

  #readSystem({ subtype, tool_name }: LineOf<"system">): void {
    if (subtype === "permission_denied") this.#noteTool(`[${tool_name ?? "tool"}: permission denied]\n`);
  }

  #readResult(line: ResultLine): TurnEnd | undefined {
    if (!isEndOf(this.#ids, line)) return undefined;
    const end = judgeResult(line, this.#trouble);
    if (end.state === "failed" && end.error.code === "upstream_rate_limit") this.#trouble.noteRefused();
    return end.state === "completed" ? this.#complete(line, end) : end;
  }

  #complete(line: ResultLine, end: CompletedTurn): TurnEnd {
    this.#finishWholeMessage();
    const isDeferred = end.finishReason === "tool_calls";
    if (this.#calls.isEmpty === isDeferred || !this.#calls.areWhole)
      return { state: "failed", error: DIVERGED };
    const { isStructured } = this.#turn;
    if (isStructured && !isDeferred) {
      if (line.structured_output === undefined) return { state: "failed", error: FORMAT_UNMET };
      this.#answer.add(JSON.stringify(line.structured_output));
    } else if (!isStructured && this.#answer.isEmpty && line.result)
      this.#judge(this.#answer.add(line.result));
    this.#resumed.end();
    return this.#before === undefined ? end : joinedEnd(this.#before, end);
  }

  #finishWholeMessage(): void {
    if (this.#wholeMessageId !== undefined) this.#finishMessage();
  }

  #finishMessage(): void {
    const goesOn = this.#stopReason === "max_tokens";
    this.#wholeMessageId = undefined;
    this.#stopReason = undefined;
    this.#judge(this.#answer.finishMessage(goesOn));
    this.#judge(this.#calls.finishMessage());
  }

  #judge(verdict: TextVerdict): void {
    if (verdict === "diverged") this.#events.onHopeless(DIVERGED);
  }
}
