import { WireFailure } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { chooseAgent } from "../../src/identity/choose-agent.ts";

const agents = { main: { workspace: "home" }, ops: { workspace: "infra" }, "a.b": { workspace: "home" } };
const withDefault = { agents, defaultAgent: "main" };

test.for<[model: string | undefined, header: string | undefined, agent: string, claudeModel?: string]>([
  ["ops", undefined, "ops"],
  ["ops", "main", "ops"],
  ["gpt-4o", "ops", "ops"],
  [undefined, "ops", "ops"],
  [undefined, undefined, "main"],
  [undefined, "ghost", "main"],
  ["ops/haiku", undefined, "ops", "haiku"],
  ["ops/claude-sonnet-4-5[1m]", "main", "ops", "claude-sonnet-4-5[1m]"],
  ["a.b/us.anthropic.claude:0@x", undefined, "a.b", "us.anthropic.claude:0@x"],
  ["ghost/haiku", "ops", "ops"],
  ["ops/two/slashes", "main", "main"],
])("model %o with header agent %o is agent %s", ([model, header, agent, claudeModel]) => {
  expect(chooseAgent(withDefault, model, header)).toEqual({
    name: agent,
    workspace: agents[agent as keyof typeof agents].workspace,
    model: claudeModel,
  });
});

test.for([
  "ghost",
  "",
  "MAIN",
  "main ",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "__proto__/haiku",
  "main/",
  "main/-p",
  "main/ha iku",
  "main/ha\nku",
  `main/${"x".repeat(129)}`,
  "/haiku",
])("the model %j is no agent, and none is taken in its place", (model) => {
  expect(() => chooseAgent(withDefault, model, undefined)).toThrow(WireFailure);
  expect(() => chooseAgent(withDefault, model, "constructor")).toThrow(
    "use one of main, ops, a.b as the model",
  );
});

test("without a model there must be a default agent", () => {
  expect(() => chooseAgent({ agents }, undefined, undefined)).toThrow(
    "no model was named and there is no default",
  );
  expect(() => chooseAgent({ agents, defaultAgent: "__proto__" }, undefined, undefined)).toThrow(WireFailure);
});

test("a hostile name comes back harmless and cut", () => {
  const failure = () => chooseAgent(withDefault, `\u001B[2J\r\nü${"x".repeat(9000)}`, undefined);
  expect(failure).toThrow(/^no agent is called "\?\[2J\?\?\?x{193}": use one of/);
});
