import { expectClean, MessagesStandIn, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig } from "./claude-rig.ts";

expectClean();

const limited = { state: "failed", error: { code: "upstream_rate_limit" } };

test("the real CLI sits out a short pause, which is shown", { timeout: 60_000 }, async () => {
  await using api = await MessagesStandIn.start();
  await using rig = await ClaudeRig.start({ api });
  api.next(reply.status(429, { retryAfterSeconds: 1 }), reply.status(529));
  const turn = rig.run("hello");
  expect(await turn.end).toMatchObject({ state: "completed" });
  expect(turn.text).toBe("standin says: hello");
  expect(turn.reasoning).toMatch(
    /^\[Claude's API limits the rate of this account \(429\): trying again in 2 s\]\n\[Claude's API is overloaded \(529\): trying again in \d s\]\n$/,
  );
  expect(turn.held).toEqual([]);
});

test("a pause beyond limits.rateLimitMs ends the turn with its end", { timeout: 60_000 }, async () => {
  await using api = await MessagesStandIn.start();
  await using rig = await ClaudeRig.start({ api, limits: { rateLimitMs: 10_000 } });
  api.next(reply.status(429, { retryAfterSeconds: 30 }));
  const before = Date.now();
  const turn = rig.run("hello");
  const end = await turn.end;
  expect(end).toMatchObject(limited);
  const [until = 0] = turn.held;
  expect(until - before).toBeGreaterThanOrEqual(30_000);
  expect(JSON.stringify(end)).toContain(`try again at ${new Date(until).toISOString()}`);
  expect(await rig.run("again").end).toMatchObject({ state: "completed" });
});

test(
  "a retry-after that Claude does not wait for names no end of the limit",
  { timeout: 60_000 },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    api.next(reply.status(429, { retryAfterSeconds: 3600, message: "slow down" }));
    const turn = rig.run("hello");
    const end = await turn.end;
    expect(end).toMatchObject({
      ...limited,
      error: { message: expect.stringContaining("it did not say till when") },
    });
    expect(end).toMatchObject({
      error: { message: expect.stringContaining("slow down"), retryAfterMs: 60_000 },
    });
    expect(turn.held).toHaveLength(1);
  },
);

test("a subscription's usage limit ends the turn with its reset time", { timeout: 60_000 }, async () => {
  await using api = await MessagesStandIn.start();
  const env = { ANTHROPIC_API_KEY: "", CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-standin" };
  await using rig = await ClaudeRig.start({ api, env });
  const reset = Math.floor(Date.now() / 1000) + 5400;
  const unified = (name: string) => `anthropic-ratelimit-unified-${name}`;
  const headers = {
    [unified("status")]: "rejected",
    [unified("reset")]: String(reset),
    [unified("representative-claim")]: "five_hour",
  };
  api.next(reply.status(429, { headers }));
  const turn = rig.run("hello");
  const end = await turn.end;
  expect(end).toMatchObject(limited);
  expect(JSON.stringify(end)).toContain(`try again at ${new Date(reset * 1000).toISOString()}`);
  expect(new Set(turn.held)).toEqual(new Set([reset * 1000]));
  expect(api.conversations).toHaveLength(1);
});
