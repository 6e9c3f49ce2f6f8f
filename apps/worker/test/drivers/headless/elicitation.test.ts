import { expect, test } from "vitest";
import { elicitedAsk } from "../../../src/drivers/headless/elicitation.ts";

const elicit = (properties: object) =>
  elicitedAsk({
    subtype: "elicitation",
    mcp_server_name: "shop",
    message: "Who are you?",
    requested_schema: { type: "object", properties },
  });
const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, { type: "string" }]));

test("a field called as what every object has is left out where nobody answered it", () => {
  const ask = elicit({ constructor: { type: "string" }, name: { type: "string" } });
  const content = ask?.answer({ behavior: "allow", answers: { name: "me" } });
  expect(content).toEqual({ action: "accept", content: { name: "me" } });
});

test("more fields, or longer ones, than can be put to a person are asked of nobody", () => {
  expect(elicit(fields(16))?.request.questions).toHaveLength(16);
  expect(elicit(fields(17))).toBeUndefined();
  expect(elicit({ f: { type: "string", description: "x".repeat(16_384) } })).toBeUndefined();
  expect(elicit({ f: { enum: Array.from({ length: 129 }, String) } })).toBeUndefined();
});
