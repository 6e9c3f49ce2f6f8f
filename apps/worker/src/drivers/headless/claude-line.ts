import * as z from "zod";

const ContentBlock = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  name: z.string().optional(),
});

/** The events of the Messages API that carry an answer; others (`signature_delta`, `ping`, …) are skipped. */
const StreamEvent = z.looseObject({
  type: z.string(),
  index: z.number().int().nonnegative().optional(),
  message: z.looseObject({ id: z.string() }).optional(),
  content_block: ContentBlock.optional(),
  delta: z
    .looseObject({
      type: z.string().optional(),
      text: z.string().optional(),
      thinking: z.string().optional(),
      stop_reason: z.string().nullish(),
    })
    .optional(),
});

const ClaudeUsage = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_input_tokens: z.number().nullish(),
  cache_creation_input_tokens: z.number().nullish(),
});

const StreamLine = z.looseObject({
  type: z.literal("stream_event"),
  event: StreamEvent,
  parent_tool_use_id: z.string().nullish(),
  /** On `message_stop`: this message was cut, its blocks from the index on are void. */
  abandoned_blocks: z.looseObject({ from_block_index: z.number().int().nonnegative().optional() }).optional(),
});

const AssistantLine = z.looseObject({
  type: z.literal("assistant"),
  message: z.looseObject({ id: z.string(), model: z.string().optional(), content: z.array(ContentBlock) }),
  parent_tool_use_id: z.string().nullish(),
  /** On a message that Claude Code made up to report an API error. */
  error: z.string().nullish(),
});

const ResultLine = z.looseObject({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean(),
  terminal_reason: z.string().nullish(),
  stop_reason: z.string().nullish(),
  api_error_status: z.number().nullish(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  usage: ClaudeUsage.optional(),
  model_usage_since_last_result: z
    .record(z.string(), z.looseObject({ costUSD: z.number().optional() }))
    .optional(),
  user_message_uuid: z.string().optional(),
  user_message_uuids: z.array(z.string()).optional(),
});
export type ResultLine = z.infer<typeof ResultLine>;

const SystemLine = z.looseObject({
  type: z.literal("system"),
  subtype: z.string(),
  error_status: z.number().nullish(),
  retry_delay_ms: z.number().optional(),
  tool_name: z.string().optional(),
});

const ControlRequestLine = z.looseObject({
  type: z.literal("control_request"),
  request_id: z.string(),
  request: z.looseObject({ subtype: z.string() }),
});

const KnownLine = z.discriminatedUnion("type", [
  StreamLine,
  AssistantLine,
  ResultLine,
  SystemLine,
  ControlRequestLine,
]);
const knownTypes: ReadonlySet<unknown> = new Set(KnownLine.options.map(({ shape }) => shape.type.value));

/** One line of `claude --output-format stream-json`, as far as it matters here (measured with 2.1.330). */
export type ClaudeLine = z.infer<typeof KnownLine> | { readonly type: "other" };

/** Reads one output line; undefined where it is not one of Claude's (not JSON, or not of its form). */
export function parseClaudeLine(text: string): ClaudeLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  if (!knownTypes.has(value.type)) return typeof value.type === "string" ? { type: "other" } : undefined;
  return KnownLine.safeParse(value).data;
}
