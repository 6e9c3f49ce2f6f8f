import type { AskVerdict } from "@synthesis/protocol";
import { expect, test } from "vitest";
import type { TurnEvents } from "../../../src/drivers/agent-process.ts";
import { ClaudeAsks } from "../../../src/drivers/headless/claude-asks.ts";
import { ControlRequest } from "../../../src/drivers/headless/claude-line.ts";

const verdict: AskVerdict = { behavior: "allow" };

function request(more: object = {}): ControlRequest {
  return ControlRequest.parse({
    subtype: "can_use_tool",
    tool_name: "Bash",
    input: { command: "ls" },
    ...more,
  });
}

function start() {
  const written: unknown[] = [];
  const withdrawn: unknown[] = [];
  const asks = new ClaudeAsks((text) => written.push(JSON.parse(text)), "/workspace");
  const onAsk: TurnEvents["onAsk"] = ({ tool }) => ({
    verdict: Promise.resolve(verdict),
    withdraw: () => void withdrawn.push(tool),
  });
  return { asks, written, withdrawn, events: { onAsk } as TurnEvents };
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
