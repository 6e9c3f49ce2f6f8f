import * as z from "zod";
import { answerSchema, clientTool, toolChoice } from "../openai/tools.ts";
import { joinedInstructions, type TurnRequest } from "../turn-request/turn-request.ts";
import { readShape, refuse } from "../turn-request/read-shape.ts";
import { unknownFields } from "../turn-request/unknown-fields.ts";
import { readEffort } from "../openai/effort.ts";
import { readInput } from "./response-input.ts";
import { turnOf } from "./response-id.ts";

const Schema = z.record(z.string(), z.unknown());
const Format = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({ type: z.literal("json_schema"), name: z.string().nullish(), schema: Schema }),
  ],
  { error: "must be of type text, json_object or json_schema" },
);
const Tool = z.object({
  type: z.literal("function", "only functions are taken: the agent has tools of its own"),
  name: z.string(),
  description: z.string().nullish(),
  parameters: Schema.nullish(),
  strict: z.boolean().nullish(),
});
const Choice = z.union(
  [z.enum(["auto", "none", "required"]), z.object({ type: z.literal("function"), name: z.string() })],
  { error: "must be auto, none, required or a function by name" },
);

/** The body of `POST /v1/responses`, as far as it is understood; `null` counts as absent. */
const ResponseRequest = z.looseObject({
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(z.unknown()).min(1)], { error: "must be text or a list of items" }),
  instructions: z.string("must be text").nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: Choice.nullish(),
  text: z.looseObject({ format: Format.nullish() }).nullish(),
  reasoning: z.object({ effort: z.string().nullish() }).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  conversation: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
  previous_response_id: z.string().nullish(),
  background: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  top_logprobs: z.literal(0, "Claude tells no probabilities: leave it out").nullish(),
  prompt: z.null("stored prompts are not known here: send instructions and input").optional(),
});
type ResponseRequest = z.infer<typeof ResponseRequest>;

/** A request for a response, as far as it was understood. */
export interface UnderstoodResponse {
  readonly turnRequest: TurnRequest;
  /** It is answered at once; its turn goes on without its client. */
  readonly isBackground: boolean;
  /** What the response says of its request. */
  readonly echo: Readonly<Record<string, unknown>>;
}

/** Checks a parsed body. Throws `invalid_request` naming the field. */
export function readResponseRequest(value: unknown): UnderstoodResponse {
  const body = readShape(ResponseRequest, value);
  const input = readInput(body.input);
  const { conversation, reasoning } = body;
  const format = body.text?.format;
  const effort = reasoning?.effort ? readEffort(reasoning.effort, "reasoning.effort") : undefined;
  const turnRequest: TurnRequest = {
    model: body.model ?? undefined,
    messages: input.messages,
    instructions: joinedInstructions([body.instructions ?? "", ...input.instructions]),
    tools: (body.tools ?? []).map(clientTool),
    toolChoice: toolChoice(body.tool_choice),
    answerSchema: answerSchema(format, format?.type === "json_schema" ? format.schema : undefined),
    effort: effort?.effort,
    isStreamed: body.stream === true,
    names: {
      promptCacheKey: body.prompt_cache_key ?? undefined,
      conversation: typeof conversation === "string" ? conversation : conversation?.id,
      metadataSession: body.metadata?.["session_id"],
      previousTurn: input.previousTurn ?? previousTurn(body.previous_response_id),
    },
    user: body.user ?? body.safety_identifier ?? undefined,
    ignored: [
      ...ignoredFields(body),
      ...input.ignored,
      ...(effort?.isExact === false ? ["reasoning.effort"] : []),
    ],
  };
  return {
    turnRequest,
    isBackground: body.background === true,
    echo: echoOf(body),
  };
}

function previousTurn(id: string | null | undefined): string | undefined {
  if (id == null) return undefined;
  const at = "previous_response_id";
  return turnOf(id) ?? refuse(at, "this is no id of a response of this server: send the whole input instead");
}

/** The fields of its request that a response repeats, as far as they were understood. */
function echoOf(body: ResponseRequest): Record<string, unknown> {
  const { conversation, text } = body;
  const fields = {
    background: body.background,
    conversation: typeof conversation === "string" ? { id: conversation } : conversation,
    instructions: body.instructions,
    metadata: body.metadata,
    previous_response_id: body.previous_response_id,
    prompt_cache_key: body.prompt_cache_key,
    reasoning: body.reasoning && { effort: null, summary: null, ...body.reasoning },
    safety_identifier: body.safety_identifier,
    text: text?.format && { format: text.format },
    tool_choice: body.tool_choice,
    tools: body.tools,
    user: body.user,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
}

const understood: ReadonlySet<string> = new Set(Object.keys(ResponseRequest.shape));
/** What is so anyway. */
const usual: Readonly<Record<string, unknown>> = {
  store: true,
  parallel_tool_calls: true,
  truncation: "disabled",
  service_tier: "auto",
};

function ignoredFields(body: ResponseRequest): string[] {
  return [
    ...unknownFields(body, understood).filter((name) => body[name] !== usual[name]),
    ...(body.text?.["verbosity"] == null ? [] : ["text.verbosity"]),
    ...(body.tools?.some(({ strict }) => strict === true) === true ? ["tools.strict"] : []),
  ];
}
