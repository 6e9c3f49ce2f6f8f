import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig } from "./claude-rig.ts";

expectClean();

test.for([
  { prompt: "!silent", limit: "firstByteMs", code: "first_byte_timeout", shown: "" },
  { prompt: "!stall", limit: "stallMs", code: "stall_timeout", shown: "one" },
  { prompt: "!tool-hang", limit: "toolMs", code: "tool_timeout", shown: "before the tool" },
] as const)("$prompt is found by its own watchdog, $limit, and the process goes on", async (row) => {
  await using rig = await ClaudeRig.start({ limits: { [row.limit]: 100, interruptMs: 5000 } });
  const turn = rig.run(row.prompt);
  expect(await turn.end).toMatchObject({ state: "failed", error: { code: row.code } });
  expect(JSON.stringify(await turn.end)).toContain(`limits.${row.limit}`);
  expect(turn.text).toBe(row.shown);
});

test("a usage limit ends the turn with its reset time, and holds the account", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!limit 5000");
  const end = await turn.end;
  expect(end).toMatchObject({ state: "failed", error: { code: "upstream_rate_limit" } });
  const [until = 0] = turn.held;
  expect(until % 1000).toBe(0);
  expect(JSON.stringify(end)).toContain(new Date(until).toISOString());
});

test("a pause that the API asks for is shown, one that is too long is not sat out", async () => {
  await using rig = await ClaudeRig.start({ limits: { rateLimitMs: 1000 } });
  const short = rig.run("!retry 429 1000");
  expect(await short.end).toMatchObject({ state: "completed" });
  expect(short.reasoning).toBe("[Claude's API limits the rate of this account (429): trying again in 1 s]\n");
  const long = rig.run("!retry 429 1001");
  expect(await long.end).toMatchObject({ state: "failed", error: { code: "upstream_rate_limit" } });
  expect(long.held).toHaveLength(1);
});

test("a compaction within a turn is shown, and its own result is not the turn's end", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!compact");
  expect(await turn.end).toMatchObject({ state: "completed" });
  expect(turn.text).toBe("fake: !compact (turn 1 of this conversation)");
  expect(turn.reasoning).toBe("[compacting the conversation]\n");
});
