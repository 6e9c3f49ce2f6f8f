import * as z from "zod";
import { McpMessage } from "./mcp-message.ts";

const ContentBlock = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  /** Of a `tool_use`. */
  id: z.string().optional(),
  name: z.string().optional(),
  /** Of a `tool_use` that came whole; in a stream it follows in pieces. */
  input: z.unknown().optional(),
  /** Of a `tool_result`. */
  tool_use_id: z.string().optional(),
});
export type ContentBlock = z.infer<typeof ContentBlock>;

/** What Claude Code knows of a usage limit of its account. */
const RateLimitInfo = z.looseObject({
  /** `rejected`: nothing is taken any more, except where paid overage is used. */
  status: z.string().optional(),
  /** Epoch seconds. */
  resetsAt: z.number().optional(),
  isUsingOverage: z.boolean().optional(),
});
export type RateLimitInfo = z.infer<typeof RateLimitInfo>;

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
      /** A piece of a tool's input. */
      partial_json: z.string().optional(),
      stop_reason: z.string().nullish(),
    })
    .optional(),
});

const ClaudeUsage = z.looseObject({
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_input_tokens: z.number().nullish(),
  cache_creation_input_tokens: z.number().nullish(),
  output_tokens_details: z.looseObject({ thinking_tokens: z.number().optional() }).nullish(),
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
  /** The same in the transcript. */
  uuid: z.string().optional(),
  message: z.looseObject({ id: z.string(), model: z.string().optional(), content: z.array(ContentBlock) }),
  parent_tool_use_id: z.string().nullish(),
  /** On a message that Claude Code made up to report an API error. */
  error: z.string().nullish(),
  api_error_params: z.looseObject({ rate_limit_info: RateLimitInfo.optional() }).nullish(),
});

/** A tool's result, or what Claude Code tells the model by itself. */
const UserLine = z.looseObject({
  type: z.literal("user"),
  /** The same in the transcript. */
  uuid: z.string().optional(),
  message: z.looseObject({ content: z.union([z.string(), z.array(ContentBlock)]) }),
  parent_tool_use_id: z.string().nullish(),
});

const ResultLine = z.looseObject({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean(),
  terminal_reason: z.string().nullish(),
  stop_reason: z.string().nullish(),
  api_error_status: z.number().nullish(),
  result: z.string().optional(),
  /** The answer that meets the schema of the process; absent: there is none. */
  structured_output: z.unknown().optional(),
  errors: z.array(z.string()).optional(),
  usage: ClaudeUsage.optional(),
  model_usage_since_last_result: z
    .record(z.string(), z.looseObject({ costUSD: z.number().optional() }))
    .optional(),
  user_message_uuid: z.string().optional(),
  user_message_uuids: z.array(z.string()).optional(),
  /** `interrupted_turn`: of the turn that this process went on with by itself. */
  resume_reason: z.string().nullish(),
});
export type ResultLine = z.infer<typeof ResultLine>;

const SystemLine = z.looseObject({
  type: z.literal("system"),
  subtype: z.string(),
  /** Of subtype `status`. */
  status: z.string().nullish(),
  error_status: z.number().nullish(),
  retry_delay_ms: z.number().nonnegative().optional(),
  tool_name: z.string().optional(),
});

const RateLimitLine = z.looseObject({
  type: z.literal("rate_limit_event"),
  rate_limit_info: RateLimitInfo,
});

/** How far a prompt from stdin got. That its turn is over is said after its result. */
const LifecycleLine = z.looseObject({
  type: z.literal("command_lifecycle"),
  command_uuid: z.string(),
  state: z.string(),
});

const ControlResponseLine = z.looseObject({ type: z.literal("control_response") });

/** What Claude asks in one; whatever it is, it has to be answered. */
export const ControlRequest = z.looseObject({
  subtype: z.string(),
  /** Of `mcp_message` one of MCP, of `elicitation` a text. */
  message: z.union([McpMessage, z.string()]).optional().catch(undefined),
  /** Of `mcp_message`: the server that is meant. */
  server_name: z.string().optional(),
  /** Of `hook_callback`: the call that is decided on. */
  tool_use_id: z.string().optional(),
});
export type ControlRequest = z.infer<typeof ControlRequest>;

const ControlRequestLine = z.looseObject({
  type: z.literal("control_request"),
  request_id: z.string(),
  request: z.unknown(),
});

/** Claude does not need the answer to one of its requests any more. */
const ControlCancelLine = z.looseObject({
  type: z.literal("control_cancel_request"),
  request_id: z.string(),
});

const KnownLine = z.discriminatedUnion("type", [
  StreamLine,
  AssistantLine,
  UserLine,
  ResultLine,
  SystemLine,
  RateLimitLine,
  LifecycleLine,
  ControlRequestLine,
  ControlResponseLine,
  ControlCancelLine,
]);
const knownTypes: ReadonlySet<unknown> = new Set(KnownLine.options.map(({ shape }) => shape.type.value));

/** One line of `claude --output-format stream-json`, as far as it matters here (measured with 2.1.330). */
export type ClaudeLine = z.infer<typeof KnownLine> | { readonly type: "other" };

/** The line of one type. */
export type LineOf<Type extends ClaudeLine["type"]> = Extract<ClaudeLine, { type: Type }>;

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
