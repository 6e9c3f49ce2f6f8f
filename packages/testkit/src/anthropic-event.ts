/** One event of a streamed answer of the Messages API. */
export interface AnthropicEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Tokens as the Messages API counts them. */
export interface AnthropicUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens_details?: { readonly thinking_tokens: number };
}

/** A message without content, as `message_start` carries it. */
export function emptyMessage(id: string, model: string, usage: AnthropicUsage) {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  } as const;
}

/** Builders of the events, in the order in which a stream has them. */
export const anthropicEvent = {
  messageStart: (message: ReturnType<typeof emptyMessage>): AnthropicEvent => ({
    type: "message_start",
    message,
  }),
  blockStart: (index: number, content_block: object): AnthropicEvent => ({
    type: "content_block_start",
    index,
    content_block,
  }),
  textDelta: (index: number, text: string): AnthropicEvent => blockDelta(index, { type: "text_delta", text }),
  thinkingDelta: (index: number, thinking: string): AnthropicEvent =>
    blockDelta(index, { type: "thinking_delta", thinking }),
  signatureDelta: (index: number, signature: string): AnthropicEvent =>
    blockDelta(index, { type: "signature_delta", signature }),
  inputDelta: (index: number, partial_json: string): AnthropicEvent =>
    blockDelta(index, { type: "input_json_delta", partial_json }),
  blockStop: (index: number): AnthropicEvent => ({ type: "content_block_stop", index }),
  messageDelta: (stop_reason: string, usage: AnthropicUsage): AnthropicEvent => ({
    type: "message_delta",
    delta: { stop_reason, stop_sequence: null },
    usage,
  }),
  messageStop: (): AnthropicEvent => ({ type: "message_stop" }),
} as const;

/** An event as server-sent event. */
export function formatSse(event: AnthropicEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function blockDelta(index: number, delta: object): AnthropicEvent {
  return { type: "content_block_delta", index, delta };
}
