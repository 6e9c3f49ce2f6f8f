import { expect, test } from "vitest";
import type { TurnRequest } from "../../src/turn-request/turn-request.ts";
import { checkTurnRequest } from "../../src/turn-request/check-turn-request.ts";

const limits = { tools: 3, schemaBytes: 2_000 };
const f = { name: "f", parameters: { type: "object" } };
const auto = { type: "auto" } as const;
const turnRequest = (some: Partial<TurnRequest>): TurnRequest => ({
  model: undefined,
  messages: [],
  instructions: undefined,
  tools: [],
  toolChoice: auto,
  answerSchema: undefined,
  effort: undefined,
  isStreamed: true,
  names: {},
  user: undefined,
  ignored: [],
  ...some,
});

function nested(depth: number): object {
  let schema: object = { type: "string" };
  for (let level = 0; level < depth; level++) schema = { type: "object", properties: schema };
  return schema;
}
const deep = nested(10_000) as Record<string, unknown>;

test.for<[title: string, some: Partial<TurnRequest>, message: string]>([
  [
    "too many functions",
    { tools: ["a", "b", "c", "d"].map((name) => ({ ...f, name })) },
    "tools: there are 4, at most 3",
  ],
  ["a name that is none", { tools: [{ ...f, name: "a b" }] }, "tools.0.name"],
  ["a name that is too long", { tools: [{ ...f, name: "x".repeat(65) }] }, "tools.0.name"],
  ["the same name twice", { tools: [f, { ...f, description: "other" }] }, 'two functions are called "f"'],
  [
    "an unknown choice",
    { tools: [f], toolChoice: { type: "named", name: "g" } },
    'no function is called "g"',
  ],
  ["a demand without functions", { toolChoice: { type: "required" } }, "tool_choice: a call is required"],
  ["parameters to overflow a stack", { tools: [{ ...f, parameters: deep }] }, "nested deeper than 64"],
  ["an answer to overflow a stack", { answerSchema: { ...deep, type: "object" } }, "nested deeper than 64"],
  ["an answer that is no object", { answerSchema: { type: "array" } }, 'must be of type "object" at its top'],
  ["an answer of any kind", { answerSchema: {} }, 'must be of type "object" at its top'],
  [
    "too many bytes",
    { tools: [{ ...f, description: "ü".repeat(1_000) }] },
    "at most 2000 are taken (limits.schemaBytes)",
  ],
])("%s is refused", ([, some, message]) => {
  expect(() => checkTurnRequest(turnRequest(some), limits)).toThrow(message);
});

test("what is in order is taken", () => {
  const tools = [f, { ...f, name: "g-1_X", description: "does g" }];
  for (const some of [
    {},
    { tools },
    { tools, toolChoice: { type: "named", name: "f" } as const },
    { tools, toolChoice: { type: "required" } as const },
    { answerSchema: nested(20) as Record<string, unknown> },
  ])
    expect(() => checkTurnRequest(turnRequest(some), limits)).not.toThrow();
});
