import { printable } from "@synthesis/kit";
import { ClientTool } from "@synthesis/protocol";
import type { TurnRequest } from "./turn-request.ts";
import { readShape, refuse } from "./read-shape.ts";

export interface TurnRequestLimits {
  /** Functions of one request. */
  readonly tools: number;
  /** JSON Schemas of one request, in bytes as JSON. */
  readonly schemaBytes: number;
}

/** A JSON Schema that is deeper has been made to do harm. */
const MAX_DEPTH = 64;

/** Throws `invalid_request` for functions, a choice among them or an answer's schema that no agent can be given. */
export function checkTurnRequest(
  { tools, toolChoice, answerSchema }: TurnRequest,
  limits: TurnRequestLimits,
): void {
  if (tools.length > limits.tools)
    refuse("tools", `there are ${tools.length}, at most ${limits.tools} are taken (limits.tools)`);
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    checkDepth(tool.parameters, `tools.${index}: its parameters`);
    const { name } = readShape(ClientTool, tool, `tools.${index}`);
    if (names.has(name))
      refuse(`tools.${index}`, `two functions are called "${name}": give each a name of its own`);
    names.add(name);
  }
  if (toolChoice.type === "named" && !names.has(toolChoice.name))
    refuse("tool_choice", `no function is called "${printable(toolChoice.name)}": name one of tools`);
  if (toolChoice.type === "required" && tools.length === 0)
    refuse("tool_choice", "a call is required and there is no function: send tools");
  if (answerSchema !== undefined) {
    checkDepth(answerSchema, "the JSON Schema of the answer");
    if (answerSchema["type"] !== "object")
      refuse(
        "the JSON Schema of the answer",
        'must be of type "object" at its top: put another value into a property',
      );
  }
  const bytes = Buffer.byteLength(JSON.stringify([tools, answerSchema]));
  if (bytes > limits.schemaBytes)
    refuse(
      "tools",
      `the JSON Schemas have ${bytes} bytes, at most ${limits.schemaBytes} are taken (limits.schemaBytes)`,
    );
}

/** Level by level: recursion would end where the stack does. */
function checkDepth(schema: object, subject: string): void {
  let level: unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) refuse(subject, `are nested deeper than ${MAX_DEPTH} levels`);
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? (Object.values(value) as unknown[]) : [],
    );
  }
}
