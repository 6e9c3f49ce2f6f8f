import type { ServerResponse } from "node:http";
import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import { askBody, settlementBody } from "../asks/ask-body.ts";
import { AnswerBlocks, type AnswerBlock, type BlockListener } from "../answer/answer-blocks.ts";
import { EventStream, typedEvent, type EventStreamOptions } from "../http/event-stream.ts";
import type { AnswerOutput, TurnFacts } from "../answer/answer-output.ts";
import { messagesError, respondMessagesError } from "./error-answer.ts";
import { emptyBlock, messageBody, messageUsage, stopReasons } from "./message-body.ts";

export interface MessageStreamOptions extends EventStreamOptions {
  /** As the client named it. */
  readonly model: string;
  /** Thinking and tool activity are part of the answer. */
  readonly reasoning: "told" | "left-out";
}

/** The answer as the event stream of a message. */
export class MessageStreamOutput implements AnswerOutput, BlockListener {
  readonly #response: ServerResponse;
  readonly #options: MessageStreamOptions;
  readonly #stream: EventStream;
  readonly #blocks = new AnswerBlocks(this);

  constructor(response: ServerResponse, options: MessageStreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#stream = new EventStream(response, options);
  }

  admitted(facts: TurnFacts): void {
    const { model } = this.#options;
    this.#stream.open(() => typedEvent({ type: "ping" }));
    this.#event("message_start", { message: messageBody({ turn: facts.turn, model }, []) });
  }

  sessionReset(why: string): void {
    this.reasoning(`[the session begins anew: ${why}]\n`);
  }

  text(text: string): void {
    this.#blocks.addText(text);
  }

  reasoning(text: string): void {
    if (this.#options.reasoning === "told") this.#blocks.addReasoning(text);
  }

  toolCall(call: ToolCallDelta): void {
    this.#blocks.addCall(call);
  }

  /** A heartbeat with a field of ours. */
  asked(ask: AgentAsk): void {
    this.#event("ping", { synthesis: { asked: askBody(ask) } });
  }

  askSettled(settlement: AskSettlement): void {
    this.#event("ping", { synthesis: { ask_settled: settlementBody(settlement) } });
  }

  completed(end: Extract<TurnEnd, { state: "completed" }>): void {
    this.#blocks.close();
    const delta = { stop_reason: stopReasons[end.finishReason], stop_sequence: null };
    this.#event("message_delta", { delta, usage: messageUsage(end) });
    this.#event("message_stop", {});
    this.#stream.end();
  }

  /** Without `message_stop`: a failure never looks like an answer. */
  failed(error: WireError): void {
    if (!this.#response.headersSent) return respondMessagesError(this.#response, error);
    this.#stream.send(typedEvent(messagesError(this.#response, error)));
    this.#stream.end();
  }

  opened(block: AnswerBlock): void {
    this.#event("content_block_start", { index: block.index, content_block: emptyBlock(block) });
  }

  grew({ type, index }: AnswerBlock, piece: string): void {
    this.#event("content_block_delta", { index, delta: deltas[type](piece) });
  }

  closed({ index }: AnswerBlock): void {
    this.#event("content_block_stop", { index });
  }

  #event(type: string, fields: object): void {
    this.#stream.send(typedEvent({ type, ...fields }));
  }
}

const deltas: Readonly<Record<AnswerBlock["type"], (piece: string) => object>> = {
  text: (text) => ({ type: "text_delta", text }),
  reasoning: (thinking) => ({ type: "thinking_delta", thinking }),
  call: (partial_json) => ({ type: "input_json_delta", partial_json }),
};
