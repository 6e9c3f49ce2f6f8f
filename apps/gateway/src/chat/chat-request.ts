import * as z from "zod";
import { readShape, refuse } from "../turn-request/read-shape.ts";
import { unknownFields } from "../turn-request/unknown-fields.ts";

const Schema = z.record(z.string(), z.unknown());
const Tool = z.looseObject({
  type: z.literal("function", "only functions are taken: the agent has tools of its own"),
  function: z.looseObject({
    name: z.string(),
    description: z.string().nullish(),
    parameters: Schema.nullish(),
    strict: z.boolean().nullish(),
  }),
});
const Choice = z.union(
  [
    z.enum(["auto", "none", "required"]),
    z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
  ],
  { error: 'must be "auto", "none", "required", or {"type": "function", "function": {"name": …}}' },
);
const Format = z.discriminatedUnion(
  "type",
  [
    z.looseObject({ type: z.literal("text") }),
    z.looseObject({ type: z.literal("json_object") }),
    z.looseObject({ type: z.literal("json_schema"), json_schema: z.looseObject({ schema: Schema }) }),
  ],
  { error: "must be of type text, json_object or json_schema" },
);

/** The body of `POST /v1/chat/completions`, as far as it is understood; `null` counts as absent. */
const ChatRequest = z.looseObject({
  model: z.string().nullish(),
  /** Read apart from the rest: there may be thousands. */
  messages: z.array(z.unknown()).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: Choice.nullish(),
  response_format: Format.nullish(),
  reasoning_effort: z.string().nullish(),
  user: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  metadata: z.looseObject({ session_id: z.string().nullish() }).nullish(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** Fields that would change what the answer is, and why they cannot: the value that is harmless, and the remedy. */
const refused: Readonly<Record<string, readonly [isHarmless: (value: unknown) => boolean, remedy: string]>> =
  {
    n: [(value) => value === 1, "there is one answer to a request: leave it out, or send several requests"],
    logprobs: [(value) => value === false, "Claude tells no probabilities: leave it out"],
    top_logprobs: [(value) => value === 0, "Claude tells no probabilities: leave it out"],
    modalities: [
      (value) => Array.isArray(value) && value.every((each) => each === "text"),
      'agents answer in text: leave it out, or send ["text"]',
    ],
    audio: [() => false, "agents answer in text: leave it out"],
    functions: [
      (value) => Array.isArray(value) && value.length === 0,
      "this was replaced by tools: send those",
    ],
    function_call: [(value) => value === "none", "this was replaced by tool_choice: send that"],
    web_search_options: [() => false, "the agent searches the web with its own tools: leave it out"],
  };

/** Checks a parsed body. Throws `invalid_request` naming the field. */
export function parseChatRequest(body: unknown): ChatRequest {
  const request = readShape(ChatRequest, body);
  for (const [name, [isHarmless, remedy]] of Object.entries(refused)) {
    const value = Object.hasOwn(request, name) ? request[name] : undefined;
    if (value != null && !isHarmless(value)) refuse(name, remedy);
  }
  return request;
}

const understood: ReadonlySet<string> = new Set([...Object.keys(ChatRequest.shape), ...Object.keys(refused)]);

/** The names of fields that were sent and have no effect: none is swallowed silently. */
export function ignoredFields(request: ChatRequest): string[] {
  const { metadata, stream_options: streamOptions, tools } = request;
  const isParallel = request["parallel_tool_calls"] === true; // as it is anyway
  return [
    ...unknownFields(request, understood).filter((name) => !isParallel || name !== "parallel_tool_calls"),
    ...(unknownFields(metadata ?? {}, understoodMetadata).length === 0 ? [] : ["metadata"]),
    ...unknownFields(streamOptions ?? {}, understoodStreamOptions, "stream_options."),
    ...(tools?.some(({ function: { strict } }) => strict === true) === true ? ["tools.function.strict"] : []),
  ];
}

const understoodMetadata: ReadonlySet<string> = new Set(["session_id"]);
const understoodStreamOptions: ReadonlySet<string> = new Set(["include_usage"]);
