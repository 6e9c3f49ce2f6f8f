import type { ClientTool, Submit } from "@synthesis/protocol";
import * as z from "zod";
import { joinedInstructions, type ToolChoice, type TurnRequest } from "../turn-request/turn-request.ts";
import { readShape } from "../turn-request/read-shape.ts";
import { unknownFields } from "../turn-request/unknown-fields.ts";
import { readMessages, readSystem } from "./message-content.ts";

const Schema = z.record(z.string(), z.unknown());
const Tool = z.looseObject({
  type: z.literal("custom", "only tools of the client's own are taken: the agent has its own").nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: Schema,
});
const Choice = z.discriminatedUnion(
  "type",
  [
    z.looseObject({ type: z.enum(["auto", "any", "none"]) }),
    z.looseObject({ type: z.literal("tool"), name: z.string() }),
  ],
  { error: "must be of type auto, any, none or tool" },
);
const Format = z.looseObject({ type: z.literal("json_schema"), schema: Schema });
const efforts = ["low", "medium", "high", "xhigh", "max"] as const satisfies NonNullable<Submit["effort"]>[];

/** The body of `POST /v1/messages`, as far as it is understood; `null` counts as absent. */
const MessagesRequest = z.looseObject({
  model: z.string().nullish(),
  messages: z.array(z.unknown()).min(1),
  system: z
    .union([z.string(), z.array(z.unknown())], { error: "must be text or a list of blocks" })
    .nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: Choice.nullish(),
  thinking: z.looseObject({ type: z.string(), display: z.string().nullish() }).nullish(),
  output_config: z.looseObject({ effort: z.enum(efforts).nullish(), format: Format.nullish() }).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  stream: z.boolean().nullish(),
  mcp_servers: z.array(z.never("the agent has its own: they are configured, not asked for")).nullish(),
});
type MessagesRequest = z.infer<typeof MessagesRequest>;

/** A request for a message, as far as it was understood. */
export interface UnderstoodMessages {
  readonly turnRequest: TurnRequest;
  /** Whether thinking and tool activity are part of the answer. */
  readonly reasoning: "told" | "left-out";
}

/** Checks a parsed body. Throws `invalid_request` naming the field. */
export function readMessagesRequest(value: unknown): UnderstoodMessages {
  const body = readShape(MessagesRequest, value);
  const { messages, instructions } = readMessages(body.messages);
  const system = body.system == null ? [] : [readSystem(body.system, "system")];
  const turnRequest: TurnRequest = {
    model: body.model ?? undefined,
    messages,
    instructions: joinedInstructions([...system, ...instructions]),
    tools: (body.tools ?? []).map(toClientTool),
    toolChoice: readChoice(body.tool_choice),
    answerSchema: body.output_config?.format?.schema,
    effort: body.output_config?.effort ?? undefined,
    isStreamed: body.stream === true,
    names: {},
    user: body.metadata?.user_id ?? undefined,
    ignored: ignoredFields(body),
  };
  const { thinking } = body;
  const isTold = thinking != null && thinking.type !== "disabled" && thinking.display !== "omitted";
  return { turnRequest, reasoning: isTold ? "told" : "left-out" };
}

function toClientTool({ name, description, input_schema }: z.infer<typeof Tool>): ClientTool {
  return { name, ...(description ? { description } : {}), parameters: input_schema };
}

function readChoice(choice: MessagesRequest["tool_choice"]): ToolChoice {
  if (choice == null) return { type: "auto" };
  if (choice.type === "tool") return { type: "named", name: choice.name };
  return { type: choice.type === "any" ? "required" : choice.type };
}

const understood: ReadonlySet<string> = new Set(Object.keys(MessagesRequest.shape));

function ignoredFields(body: MessagesRequest): string[] {
  const isSerial = body.tool_choice?.["disable_parallel_tool_use"] === true;
  return [
    ...unknownFields(body, understood),
    ...(body.thinking?.["budget_tokens"] == null ? [] : ["thinking.budget_tokens"]),
    ...(isSerial ? ["tool_choice.disable_parallel_tool_use"] : []),
  ];
}
