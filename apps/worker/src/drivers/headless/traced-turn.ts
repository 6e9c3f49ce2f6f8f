import { AnswerText } from "./answer-text.ts";
import { functionNameOf } from "./client-server.ts";
import type { TranscriptLine } from "./transcript-line.ts";
import type { TurnTrace } from "./turn-trace.ts";

/** One message of the model, put together from its lines: Claude Code writes one for each content block. */
interface Message {
  readonly id: string;
  readonly stopReason: string | undefined;
  text: string;
  readonly openCalls: Set<string>;
}

/**
 * open: its last entry asks the model for something. answered: it is the model's. stopped: it is a note that it
 * was interrupted. done, dropped: the prompt of another turn came, after its answer or before.
 */
type State = "not seen" | "open" | "answered" | "stopped" | "done" | "dropped";

type MessageOf<Line extends TranscriptLine> = NonNullable<Line["message"]>;

/**
 * One turn, read from the lines of its transcript. Which turns Claude Code goes on with, and with which part
 * of their answer, was measured with 2.1.330: those whose last entry is their prompt, a tool's result or an API
 * error; a message with a tool call that has no result is dropped with all its text.
 */
export class TracedTurn {
  readonly #id: string;
  #state: State = "not seen";
  #messages: Message[] = [];
  /** Those of them that no tool answers. */
  readonly #clientCalls = new Set<string>();

  constructor(id: string) {
    this.#id = id;
  }

  get trace(): TurnTrace {
    const last = this.#messages.at(-1);
    if (this.#clientCalls.size > 0) return { state: "stopped" }; // the client has them: no other process can go on
    switch (this.#state) {
      case "not seen":
        return { state: "absent" };
      case "stopped":
      case "dropped":
        return { state: "stopped" };
      case "answered":
      case "done":
        if (last === undefined || last.openCalls.size > 0) break;
        if (last.stopReason === undefined) return { state: "stopped" }; // in mid-answer, by an interrupt
        return { state: "finished", text: this.#standingText(), stopReason: last.stopReason };
      case "open":
    }
    return { state: "unfinished", text: this.#standingText() };
  }

  read(line: TranscriptLine): void {
    if (line.isSidechain === true || line.message === undefined) return;
    if (this.#state === "done" || this.#state === "dropped") return;
    if (line.type === "user" && line.promptSource !== undefined) return this.#readPrompt(line);
    if (this.#state === "not seen") return;
    if (line.type === "user") this.#readUser(line.message);
    if (line.type === "assistant") this.#readAssistant(line.message, line.isApiErrorMessage === true);
  }

  #readPrompt({ uuid }: TranscriptLine): void {
    if (uuid === this.#id) {
      this.#state = "open";
      this.#messages = [];
      this.#clientCalls.clear();
    } else if (this.#state !== "not seen") this.#state = this.#state === "answered" ? "done" : "dropped";
  }

  /** A tool's result, or a note that Claude Code makes for the model. */
  #readUser({ content }: MessageOf<TranscriptLine>): void {
    if (typeof content === "string") return void (this.#state = "open");
    const isStop = content.some(({ text }) => text?.startsWith("[Request interrupted by user") === true);
    this.#state = isStop ? "stopped" : "open";
    for (const { tool_use_id } of content) {
      if (tool_use_id === undefined) continue;
      for (const { openCalls } of this.#messages) openCalls.delete(tool_use_id);
      this.#clientCalls.delete(tool_use_id);
    }
  }

  #readAssistant({ id = "", stop_reason, content }: MessageOf<TranscriptLine>, isApiError: boolean): void {
    if (isApiError) return void (this.#state = "open");
    this.#state = "answered";
    let current = this.#messages.at(-1);
    if (current?.id !== id) {
      current = { id, stopReason: stop_reason ?? undefined, text: "", openCalls: new Set() };
      this.#messages.push(current);
    }
    for (const block of typeof content === "string" ? [] : content) {
      if (block.type === "text") current.text += block.text ?? "";
      if (block.type !== "tool_use" || block.id === undefined) continue;
      current.openCalls.add(block.id);
      if (functionNameOf(block.name) !== undefined) this.#clientCalls.add(block.id);
    }
  }

  #standingText(): string {
    let text = "";
    const answer = new AnswerText((part) => (text += part));
    for (const message of this.#messages.filter(({ openCalls }) => openCalls.size === 0)) {
      answer.beginMessage(message.id);
      answer.add(message.text);
      answer.finishMessage(message.stopReason === "max_tokens");
    }
    return text;
  }
}
