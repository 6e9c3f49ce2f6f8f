import type { TurnEnd } from "@synthesis/protocol";
import type { TurnEvents } from "../agent-process.ts";
import { AnswerText, type TextVerdict } from "./answer-text.ts";
import type { ClaudeLine, ResultLine } from "./claude-line.ts";
import { judgeResult } from "./judge-result.ts";

type LineOf<Type extends ClaudeLine["type"]> = Extract<ClaudeLine, { type: Type }>;

/** API statuses that asking again does not mend; Claude Code would go on for minutes. */
const HOPELESS_STATUSES: ReadonlySet<number> = new Set([401, 403]);

/** Reads the lines of one turn: hands on its text and activity, and recognises its end. */
export class TurnReader {
  readonly #turnId: string;
  readonly #events: TurnEvents;
  readonly #answer: AnswerText;
  /** A whole message came without deltas (Claude's fallback); nothing marks its end but what comes next. */
  #wholeMessageId: string | undefined;
  #stopReason: string | undefined;
  #apiErrorKind: string | undefined;

  constructor(turnId: string, events: TurnEvents) {
    this.#turnId = turnId;
    this.#events = events;
    this.#answer = new AnswerText((text) => events.onText(text));
  }

  /** Takes one line; the turn's end where this line is it. */
  read(line: ClaudeLine): TurnEnd | undefined {
    this.#events.onLife();
    switch (line.type) {
      case "stream_event":
        if (line.parent_tool_use_id == null) this.#readEvent(line);
        return undefined;
      case "assistant":
        if (line.parent_tool_use_id == null) this.#readAssistant(line);
        return undefined;
      case "system":
        this.#readSystem(line);
        return undefined;
      case "result":
        return this.#readResult(line);
      case "control_request":
      case "other":
        return undefined;
    }
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
    if (error != null || message.model === "<synthetic>") {
      this.#apiErrorKind = error ?? undefined;
      return;
    }
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

  #readSystem({ subtype, error_status, tool_name }: LineOf<"system">): void {
    if (subtype === "permission_denied")
      this.#events.onReasoning(`[${tool_name ?? "tool"}: permission denied]\n`);
    if (subtype !== "api_retry" || error_status == null || !HOPELESS_STATUSES.has(error_status)) return;
    this.#events.onHopeless({
      code: "upstream_authentication",
      message: `Claude's API refused its credentials (${error_status}): check the account that Claude Code runs with`,
    });
  }

  /** A result that names another message is not this turn's end; Claude Code also reports its own work so. */
  #readResult(line: ResultLine): TurnEnd | undefined {
    const uuids =
      line.user_message_uuids ?? (line.user_message_uuid === undefined ? [] : [line.user_message_uuid]);
    if (uuids.length > 0 ? !uuids.includes(this.#turnId) : !line.is_error) return undefined;
    if (!line.is_error) {
      this.#finishWholeMessage();
      if (this.#answer.isEmpty && line.result) this.#judge(this.#answer.add(line.result));
    }
    return judgeResult(line, this.#apiErrorKind);
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
