import type { ClientTool } from "@synthesis/protocol";
import type { ToolChoice, TurnRequest } from "../turn-request/turn-request.ts";

/** A function as both of OpenAI's APIs describe one. */
interface FunctionTool {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly parameters?: Record<string, unknown> | null | undefined;
}

export function clientTool({ name, description, parameters }: FunctionTool): ClientTool {
  return {
    name,
    ...(description ? { description } : {}),
    parameters: parameters ?? { type: "object", properties: {} },
  };
}

/** `choice`: a word, or the function that is to be called. */
export function toolChoice(
  choice: "auto" | "none" | "required" | { readonly name: string } | null | undefined,
): ToolChoice {
  if (choice == null) return { type: "auto" };
  return typeof choice === "string" ? { type: choice } : { type: "named", name: choice.name };
}

/** What the answer is to meet; `schema`: that of a format of type `json_schema`. */
export function answerSchema(
  format: { readonly type: "text" | "json_object" | "json_schema" } | null | undefined,
  schema: TurnRequest["answerSchema"],
): TurnRequest["answerSchema"] {
  return format?.type === "json_object" ? { type: "object" } : schema;
}
