import type { ReplyUsage, StopReason, ToolCall } from "./scripted-reply.ts";
import {
  anthropicEvent,
  emptyMessage,
  formatSse,
  type AnthropicEvent,
  type AnthropicUsage,
} from "./anthropic-event.ts";
import { sendJson, type Exchange } from "./exchange.ts";

/** Where an answer goes: streamed or whole, as the request asks. */
export interface MessageSink {
  /** Joins the text block before it, if that is one. */
  text(chunk: string): void;
  thinking(text: string): void;
  toolUse(call: ToolCall): void;
  /** Completes the answer. */
  end(stopReason: StopReason, usage: ReplyUsage | undefined): void;
}

/** The sink that `request.body.stream` asks for; a streamed one sends `message_start` at once. */
export function openSink(exchange: Exchange, usage: ReplyUsage | undefined): MessageSink {
  return exchange.request.body.stream === true
    ? new StreamedMessage(exchange, usage)
    : new WholeMessage(exchange);
}

class StreamedMessage implements MessageSink {
  readonly #exchange: Exchange;
  #index = -1;
  #textOpen = false;

  constructor(exchange: Exchange, usage: ReplyUsage | undefined) {
    this.#exchange = exchange;
    const { response, number } = exchange;
    response.writeHead(200, { "content-type": "text/event-stream", "request-id": `req_standin_${number}` });
    response.socket?.setNoDelay(true);
    this.#send(anthropicEvent.messageStart(messageOf(exchange, { ...usage, outputTokens: 1 })));
  }

  text(chunk: string): void {
    if (!this.#textOpen) this.#startBlock({ type: "text", text: "" });
    this.#textOpen = true;
    this.#send(anthropicEvent.textDelta(this.#index, chunk));
  }

  thinking(text: string): void {
    this.#startBlock({ type: "thinking", thinking: "", signature: "" });
    this.#send(anthropicEvent.thinkingDelta(this.#index, text));
    this.#send(anthropicEvent.signatureDelta(this.#index, "standin-signature"));
  }

  toolUse(call: ToolCall): void {
    this.#startBlock({ ...toolBlock(this.#exchange, call, this.#index + 1), input: {} });
    for (const piece of call.json ?? [JSON.stringify(call.input)])
      this.#send(anthropicEvent.inputDelta(this.#index, piece));
  }

  end(stopReason: StopReason, usage: ReplyUsage | undefined): void {
    this.#endBlock();
    this.#send(anthropicEvent.messageDelta(stopReason, usageOf(usage)));
    this.#send(anthropicEvent.messageStop());
    this.#exchange.response.end();
  }

  #startBlock(block: object): void {
    this.#endBlock();
    this.#index += 1;
    this.#send(anthropicEvent.blockStart(this.#index, block));
  }

  #endBlock(): void {
    this.#textOpen = false;
    if (this.#index >= 0) this.#send(anthropicEvent.blockStop(this.#index));
  }

  #send(event: AnthropicEvent): void {
    this.#exchange.response.write(formatSse(event));
  }
}

class WholeMessage implements MessageSink {
  readonly #exchange: Exchange;
  readonly #content: object[] = [];
  #text: { type: "text"; text: string } | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  text(chunk: string): void {
    if (this.#text === undefined) this.#content.push((this.#text = { type: "text", text: "" }));
    this.#text.text += chunk;
  }

  thinking(text: string): void {
    this.#add({ type: "thinking", thinking: text, signature: "standin-signature" });
  }

  toolUse(call: ToolCall): void {
    this.#add(toolBlock(this.#exchange, call, this.#content.length));
  }

  end(stopReason: StopReason, usage: ReplyUsage | undefined): void {
    const message = { ...messageOf(this.#exchange, usage), content: this.#content, stop_reason: stopReason };
    sendJson(this.#exchange, 200, message);
  }

  #add(block: object): void {
    this.#text = undefined;
    this.#content.push(block);
  }
}

function messageOf({ request, number }: Exchange, usage: ReplyUsage | undefined) {
  return emptyMessage(`msg_${number}`, request.body.model ?? "standin", usageOf(usage));
}

function toolBlock({ number }: Exchange, { id, name, input }: ToolCall, index: number) {
  return { type: "tool_use", id: id ?? `toolu_${number}_${index}`, name, input };
}

function usageOf({
  inputTokens = 12,
  outputTokens = 5,
  cacheReadTokens = 0,
  thinkingTokens,
}: ReplyUsage = {}): AnthropicUsage {
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cacheReadTokens,
    ...(thinkingTokens === undefined ? {} : { output_tokens_details: { thinking_tokens: thinkingTokens } }),
  };
}
