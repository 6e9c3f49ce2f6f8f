import type { AskVerdict } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { TurnEvents } from "../../../src/drivers/agent-process.ts";
import { ClaudeAsks } from "../../../src/drivers/headless/claude-asks.ts";
import { ControlRequest } from "../../../src/drivers/headless/claude-line.ts";

const allow: AskVerdict = { behavior: "allow" };
const always: AskVerdict = { behavior: "always" };
const rules = [{ toolName: "Bash", ruleContent: "ls:*" }];
const suggestion = { type: "addRules", rules, behavior: "allow" };

function request(more: object = {}): ControlRequest {
  return ControlRequest.parse({
    subtype: "can_use_tool",
    tool_name: "Bash",
    input: { command: "ls" },
    ...more,
  });
}

/** `keeps`: whether rules can be kept. */
function start({ verdict = allow, keeps = true }: { verdict?: AskVerdict; keeps?: boolean } = {}) {
  const written: unknown[] = [];
  const kept: unknown[] = [];
  const withdrawn: unknown[] = [];
  const asks = new ClaudeAsks(
    (text) => written.push(JSON.parse(text)),
    "/workspace",
    (allowed) => {
      kept.push({ rules: allowed, before: written.length });
      return keeps;
    },
  );
  const onAsk: TurnEvents["onAsk"] = ({ tool }) => ({
    verdict: Promise.resolve(verdict),
    withdraw: () => void withdrawn.push(tool),
  });
  return { asks, written, kept, withdrawn, events: { onAsk } as TurnEvents };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("what Claude asks is answered, unless it was interrupted or withdrew it", async () => {
  for (const [how, count] of [
    ["answered", 1],
    ["dropped", 0],
    ["withdrawn", 0],
  ] as const) {
    const { asks, written, withdrawn, events } = start();
    expect(asks.take("r1", request(), events)).toBe(true);
    if (how === "dropped") asks.dropAll();
    if (how === "withdrawn") asks.withdraw("r1");
    await settle();
    expect([how, written.length, withdrawn]).toEqual([how, count, how === "withdrawn" ? ["Bash"] : []]);
  }
});

test("without a turn nobody is asked", () => {
  const { asks, written } = start();
  expect(asks.take("r1", request(), undefined)).toBe(true);
  expect(written).toMatchObject([{ response: { request_id: "r1", response: { behavior: "deny" } } }]);
});

test("what is nothing to ask a person is left to others", () => {
  const { asks, events } = start();
  expect(asks.take("r1", request({ subtype: "request_user_dialog" }), events)).toBe(false);
});

test("W-20: what is always allowed is kept before Claude is told; where it cannot be, Claude is allowed the call alone", async () => {
  const asking = request({ permission_suggestions: [{ ...suggestion, destination: "localSettings" }] });
  const updatedPermissions = [{ ...suggestion, destination: "session" }];
  for (const [keeps, told] of [
    [true, { updatedPermissions }],
    [false, {}],
  ] as const) {
    const { asks, written, kept, events } = start({ verdict: always, keeps });
    asks.take("r1", asking, events);
    await settle();
    expect(kept).toEqual([{ rules, before: 0 }]);
    expect(written).toHaveLength(1);
    expect(written).toHaveProperty("0.response.response", {
      ...allow,
      updatedInput: { command: "ls" },
      ...told,
    });
  }
});

test("what Claude was not told is not kept", async () => {
  const { asks, kept, events } = start({ verdict: always });
  asks.take("r1", request({ permission_suggestions: [suggestion] }), events);
  asks.dropAll();
  await settle();
  expect(kept).toEqual([]);
});
