import type { TurnEnd } from "@synthesis/protocol";
import type { TurnEvents } from "../agent-process.ts";
import { AnswerText, type TextVerdict } from "./answer-text.ts";
import { ApiTrouble } from "./api-trouble.ts";
import type { ClaudeLine, LineOf, ResultLine } from "./claude-line.ts";
import { CompactionNote } from "./compaction-note.ts";
import { isEndOf, judgeResult } from "./judge-result.ts";
import { ResumedAnswer } from "./resumed-answer.ts";
import { StageReader } from "./stage-reader.ts";

/** The turn that is read. */
export interface ReadTurn {
  readonly id: string;
  /** The longest pause for a rate limit that it sits out, in ms. */
  readonly rateLimitMs: number;
  /** Text of its answer that was handed on before its process was cut; the empty string in a new turn. */
  readonly shown: string;
  /** What of its answer stands since then: the lines to come go on after it. */
  readonly standing: string;
}

/** Reads the lines of one turn: hands on its text and activity, and recognises its end. */
export class TurnReader {
  readonly #turnId: string;
  readonly #events: TurnEvents;
  readonly #answer: AnswerText;
  readonly #resumed: ResumedAnswer;
  readonly #stage: StageReader;
  readonly #trouble: ApiTrouble;
  readonly #compaction: CompactionNote;
  /** A whole message came without deltas (Claude's fallback); nothing marks its end but what comes next. */
  #wholeMessageId: string | undefined;
  #stopReason: string | undefined;

  constructor({ id, rateLimitMs, shown, standing }: ReadTurn, events: TurnEvents) {
    this.#turnId = id;
    this.#events = events;
    this.#stage = new StageReader((stage) => events.onStage(stage));
    this.#trouble = new ApiTrouble(events, rateLimitMs);
    this.#compaction = new CompactionNote((text) => events.onNote(text));
    this.#resumed = new ResumedAnswer({ shown, standing }, events);
    this.#answer = new AnswerText((text) => this.#resumed.add(text));
    if (standing === "") return;
    this.#answer.add(standing);
    this.#answer.finishMessage(false);
  }

  /** Takes one line; the turn's end where this line is it. */
  read(line: ClaudeLine): TurnEnd | undefined {
    this.#events.onLife();
    this.#stage.read(line);
    this.#trouble.read(line);
    this.#compaction.read(line);
    if (line.type === "stream_event" && line.parent_tool_use_id == null) this.#readEvent(line);
    if (line.type === "assistant" && line.parent_tool_use_id == null) this.#readAssistant(line);
    if (line.type === "system") this.#readSystem(line);
    return line.type === "result" ? this.#readResult(line) : undefined;
  }

  #readEvent({ event, abandoned_blocks }: LineOf<"stream_event">): void {
    switch (event.type) {
      case "message_start":
        this.#finishWholeMessage();
        this.#answer.beginMessage(event.message?.id ?? "");
        this.#stopReason = undefined;
        return;
      case "content_block_start":
        this.#answer.beginBlock(event.index ?? 0);
        if (event.content_block?.type === "tool_use") this.#noteTool(event.content_block.name);
        return;
      case "content_block_delta":
        if (event.delta?.text !== undefined) this.#judge(this.#answer.add(event.delta.text));
        if (event.delta?.thinking !== undefined) this.#events.onReasoning(event.delta.thinking);
        return;
      case "message_delta":
        this.#stopReason = event.delta?.stop_reason ?? this.#stopReason;
        return;
      case "message_stop":
        if (abandoned_blocks === undefined) this.#finishMessage();
        else this.#answer.abandon(abandoned_blocks.from_block_index ?? 0);
        return;
      default:
    }
  }

  #readAssistant({ message, error }: LineOf<"assistant">): void {
    if (error != null || message.model === "<synthetic>") return;
    if (this.#wholeMessageId !== message.id) {
      if (this.#answer.knows(message.id)) return; // it came as deltas
      this.#finishWholeMessage();
      this.#answer.beginMessage(message.id);
      this.#wholeMessageId = message.id;
    }
    for (const block of message.content) {
      if (block.type === "text" && block.text !== undefined) this.#judge(this.#answer.add(block.text));
      if (block.type === "tool_use") this.#noteTool(block.name);
    }
  }

  #noteTool(name = "tool"): void {
    this.#events.onReasoning(`[${name}]\n`);
  }

  #readSystem({ subtype, tool_name }: LineOf<"system">): void {
    if (subtype === "permission_denied")
      this.#events.onReasoning(`[${tool_name ?? "tool"}: permission denied]\n`);
  }

  #readResult(line: ResultLine): TurnEnd | undefined {
    if (!isEndOf(this.#turnId, line)) return undefined;
    if (!line.is_error) {
      this.#finishWholeMessage();
      if (this.#answer.isEmpty && line.result) this.#judge(this.#answer.add(line.result));
      this.#resumed.end();
    }
    const end = judgeResult(line, this.#trouble);
    if (end.state === "failed" && end.error.code === "upstream_rate_limit") this.#trouble.noteRefused();
    return end;
  }

  #finishWholeMessage(): void {
    if (this.#wholeMessageId !== undefined) this.#finishMessage();
  }

  #finishMessage(): void {
    const goesOn = this.#stopReason === "max_tokens";
    this.#wholeMessageId = undefined;
    this.#stopReason = undefined;
    this.#judge(this.#answer.finishMessage(goesOn));
  }

  #judge(verdict: TextVerdict): void {
    if (verdict === "agrees") return;
    this.#events.onHopeless({
      code: "answer_diverged",
      message: "Claude's API broke off and its second answer differs from the text already sent: ask again",
    });
  }
}
