import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { anthropicEvent, emptyMessage, type AnthropicEvent } from "../anthropic-event.ts";
import { words } from "../reply.ts";
import type { FakeSession } from "./fake-session.ts";
import { assistantEntry, INTERRUPT_NOTE, userEntry } from "./transcript-entry.ts";
import { writeLine } from "./write-line.ts";

const usage = {
  input_tokens: 12,
  output_tokens: 5,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};
let messages = 0;

/** Writes what Claude says in one turn, to stdout and to the transcript, and knows what of it stands. */
export class TurnOutput {
  readonly session: FakeSession;
  readonly model: string;
  readonly uuids: readonly string[];
  /** Whether the turn was begun by an earlier process, which died. */
  readonly isResumed: boolean;
  /** Aborts when the turn is interrupted; every pause of {@link TurnOutput} then throws. */
  readonly signal: AbortSignal;
  #messageId = "";
  #messageCount = 0;
  /** Text of the message that is open. */
  #open: string | undefined;
  #lastText = "";
  /** Uuids of the assistant lines that are not in the transcript yet, where they have the same. */
  readonly #unkept: string[] = [];
  #isFirstEvent = true;
  #isFirstAssistant = true;

  constructor(session: FakeSession, turn: Pick<TurnOutput, "model" | "uuids" | "isResumed" | "signal">) {
    this.session = session;
    this.model = turn.model;
    this.uuids = turn.uuids;
    this.isResumed = turn.isResumed;
    this.signal = turn.signal;
  }

  /** API messages so far. */
  get messageCount(): number {
    return this.#messageCount;
  }

  /** The text of the last complete message, as `result.result` has it. */
  get lastText(): string {
    return this.#lastText;
  }

  /** One whole message: `text` in deltas of a word each. */
  async message(text: string): Promise<void> {
    this.startMessage();
    await this.say(text);
    this.endMessage();
  }

  startMessage(): void {
    messages += 1;
    this.#messageCount += 1;
    this.#messageId = `msg_fake_${process.pid}_${messages}`;
    this.#open = "";
    this.event(
      anthropicEvent.messageStart(emptyMessage(this.#messageId, this.model, { ...usage, output_tokens: 1 })),
    );
    this.event(anthropicEvent.blockStart(0, { type: "text", text: "" }));
  }

  /** Deltas of a word each, with a turn of the event loop before each, so that an interrupt can fall between. */
  async say(text: string): Promise<void> {
    for (const word of words(text)) {
      await setImmediate();
      this.signal.throwIfAborted();
      this.delta(word);
    }
  }

  delta(text: string): void {
    this.#open = (this.#open ?? "") + text;
    this.event(anthropicEvent.textDelta(0, text));
  }

  endMessage(stopReason = "end_turn", moreContent: readonly object[] = []): void {
    const text = this.#open ?? "";
    this.assistant([{ type: "text", text }]);
    this.event(anthropicEvent.blockStop(0));
    moreContent.forEach((block, before) => {
      this.event(anthropicEvent.blockStart(before + 1, { ...block, input: {} }));
      if ("input" in block) this.event(anthropicEvent.inputDelta(before + 1, JSON.stringify(block.input)));
      this.assistant([block]);
      this.event(anthropicEvent.blockStop(before + 1));
    });
    this.#keep(stopReason, [{ type: "text", text }, ...moreContent]);
    this.event(anthropicEvent.messageDelta(stopReason, usage));
    this.event(anthropicEvent.messageStop());
    this.#lastText = text;
    this.#open = undefined;
  }

  /** Voids the open message: what was said in it does not stand. */
  abandonMessage(): void {
    this.#stopAbandoned(0);
    this.#open = undefined;
  }

  /** A message that came whole, after a failed stream: no deltas. */
  wholeMessage(text: string): void {
    this.#messageCount += 1;
    messages += 1;
    this.#messageId = `msg_fake_${process.pid}_${messages}`;
    this.assistant([{ type: "text", text }]);
    this.#keep("end_turn", [{ type: "text", text }]);
    this.#lastText = text;
  }

  /** The message that stands for an API error. */
  apiError(text: string, error: string, status: number, more: object): void {
    const block = { type: "text", text };
    this.assistant([block], { error, is_api_error_message: true, api_error_status: status, ...more });
    const message = { id: this.#messageId, model: "<synthetic>", stop_reason: "stop_sequence" };
    this.session.add(assistantEntry(message, block, { uuid: this.#unkept.shift(), isApiErrorMessage: true }));
  }

  /** What a tool gave back, or a note. */
  user(content: readonly object[]): void {
    const entry = userEntry(content);
    this.session.add(entry);
    const message = { role: "user", content };
    this.line({ type: "user", uuid: entry.uuid, message, parent_tool_use_id: null });
  }

  /** The lines of an interrupt; the partial text stays in the history. */
  interruptMessage(): void {
    const partial = this.#open;
    if (partial !== undefined && partial !== "") {
      this.assistant([{ type: "text", text: partial }]);
      this.#keep(null, [{ type: "text", text: partial }]);
    }
    this.user([{ type: "text", text: INTERRUPT_NOTE }]);
    if (partial !== undefined) {
      this.event(anthropicEvent.blockStop(0));
      this.#stopAbandoned(1); // block 0 stands, as with the real one
    }
  }

  assistant(content: readonly object[], more: object = {}): void {
    const first = this.#isFirstAssistant ? this.#uuidFields() : {};
    this.#isFirstAssistant = false;
    const { content: _none, ...message } = emptyMessage(this.#messageId, this.model, usage);
    const timestamp = new Date().toISOString();
    const uuid = randomUUID();
    this.#unkept.push(uuid);
    this.line({
      type: "assistant",
      uuid,
      message: { ...message, content },
      parent_tool_use_id: null,
      timestamp,
      ...first,
      ...more,
    });
  }

  event(event: AnthropicEvent, more: object = {}): void {
    const first = this.#isFirstEvent ? this.#uuidFields() : {};
    this.#isFirstEvent = false;
    this.line({
      type: "stream_event",
      event,
      parent_tool_use_id: null,
      api_message_id: this.#messageId,
      ...first,
      ...more,
    });
  }

  /** A line with this session's id. */
  line(line: { readonly type: string; readonly [field: string]: unknown }): void {
    writeLine({ ...line, session_id: this.session.id });
  }

  #stopAbandoned(fromBlock: number): void {
    this.event(anthropicEvent.messageStop(), {
      abandoned_blocks: { api_message_id: this.#messageId, from_block_index: fromBlock },
    });
  }

  #keep(stop_reason: string | null, content: readonly object[]): void {
    const message = { id: this.#messageId, model: this.model, stop_reason };
    for (const block of content)
      this.session.add(assistantEntry(message, block, { uuid: this.#unkept.shift() }));
  }

  #uuidFields(): object {
    if (this.uuids.length === 0) return {};
    const resume = this.isResumed ? { resume_reason: "interrupted_turn" } : {};
    return { user_message_uuid: this.uuids.at(-1), user_message_uuids: this.uuids, ...resume };
  }
}
