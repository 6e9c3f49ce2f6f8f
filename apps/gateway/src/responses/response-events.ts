import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import { askBody, settlementBody } from "../asks/ask-body.ts";
import { ToldAsks } from "../asks/told-asks.ts";
import { AnswerBlocks, type AnswerBlock, type BlockListener } from "../answer/answer-blocks.ts";
import { endedResponse, lastStatus } from "./ended-response.ts";
import { blockId, outputItem, summaryPart, textPart } from "./output-item.ts";
import { responseBody, responseError, type ResponseHead } from "./response-body.ts";

/** An event of a response's stream. */
export interface ResponseEvent {
  readonly type: string;
  /** From 0, without gaps. */
  readonly sequence_number: number;
}

/**
 * A turn as the typed events of its response. They follow from the turn's own events alone, so that a stream that is
 * read again from the journal has the same events under the same numbers.
 */
export class ResponseEvents implements BlockListener {
  readonly #head: ResponseHead;
  readonly #tell: (event: ResponseEvent) => void;
  readonly #blocks = new AnswerBlocks(this);
  readonly #asks = new ToldAsks();
  #next = 0;
  /** What its unfinished item is when the answer ends. */
  #status: "completed" | "incomplete" = "completed";

  constructor(head: ResponseHead, tell: (event: ResponseEvent) => void) {
    this.#head = head;
    this.#tell = tell;
  }

  /** Number of the last event, or of the first one that is to come. */
  get latest(): number {
    return Math.max(0, this.#next - 1);
  }

  begin(): void {
    const response = responseBody(this.#head, { status: "in_progress" });
    this.#event("response.created", { response });
    this.#event("response.in_progress", { response });
  }

  text(text: string): void {
    this.#blocks.addText(text);
  }

  reasoning(text: string): void {
    this.#blocks.addReasoning(text);
  }

  toolCall(call: ToolCallDelta): void {
    this.#blocks.addCall(call);
  }

  /** A heartbeat with a field of ours, for OpenAI's SDK (7.57) throws at a type of event that it does not know. */
  asked(ask: AgentAsk): void {
    this.#asks.asked(ask);
    this.#event("keepalive", { synthesis: { asked: askBody(ask) } });
  }

  askSettled(settlement: AskSettlement): void {
    this.#asks.settled(settlement);
    this.#event("keepalive", { synthesis: { ask_settled: settlementBody(settlement) } });
  }

  /** Says how it ended; after `response.failed` comes an `error`, which no client takes for an answer. */
  end(end: TurnEnd): void {
    this.#status = lastStatus(end);
    this.#blocks.close();
    const response = { ...endedResponse(this.#head, this.#blocks.all, end), ...this.#asks.body };
    if (end.state === "completed") return this.#event(`response.${this.#status}`, { response });
    this.#event("response.failed", { response });
    this.#event("error", errorFields(end.error));
  }

  /** Says why nothing more is told. The turn may go on, so that is none of its events, and has the last one's number. */
  breakOff(error: WireError): void {
    this.#tell({ type: "error", sequence_number: this.latest, ...errorFields(error) });
  }

  opened(block: AnswerBlock): void {
    const item = outputItem(this.#head.turn, block, "in_progress");
    this.#event("response.output_item.added", { output_index: block.index, item });
    if (block.type === "call") return;
    const { part, place, make } = parts[block.type];
    this.#within(block, `response.${part}.added`, { ...place, part: make("") });
  }

  grew(block: AnswerBlock, delta: string): void {
    if (block.type === "call")
      return this.#within(block, "response.function_call_arguments.delta", { delta });
    const { text, place, extra } = parts[block.type];
    this.#within(block, `response.${text}.delta`, { ...place, ...extra, delta });
  }

  closed(block: AnswerBlock): void {
    const { content } = block;
    if (block.type === "call") {
      const { name } = block;
      this.#within(block, "response.function_call_arguments.done", { name, arguments: content });
    } else {
      const { text, part, place, extra, make } = parts[block.type];
      this.#within(block, `response.${text}.done`, { ...place, ...extra, text: content });
      this.#within(block, `response.${part}.done`, { ...place, part: make(content) });
    }
    const item = outputItem(this.#head.turn, block, this.#status);
    this.#event("response.output_item.done", { output_index: block.index, item });
  }

  #within(block: AnswerBlock, type: string, fields: object): void {
    this.#event(type, { item_id: blockId(this.#head.turn, block), output_index: block.index, ...fields });
  }

  #event(type: string, fields: object): void {
    this.#tell({ type, sequence_number: this.#next++, ...fields });
  }
}

/** Flat as OpenAI's types have it, and nested as its servers send it. */
function errorFields(error: WireError): object {
  const { code, message } = error;
  return { code, message, param: null, error: responseError(error) };
}

/** The one part that a message or a piece of reasoning has: the words for it, where it is, how it is made. */
const parts = {
  text: {
    text: "output_text",
    part: "content_part",
    place: { content_index: 0 },
    extra: { logprobs: [] },
    make: textPart,
  },
  reasoning: {
    text: "reasoning_summary_text",
    part: "reasoning_summary_part",
    place: { summary_index: 0 },
    extra: {},
    make: summaryPart,
  },
} as const;
