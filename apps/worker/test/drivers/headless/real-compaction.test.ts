import { eventually, expectClean, MessagesStandIn, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig } from "./claude-rig.ts";

expectClean();

const NEARLY_FULL = { inputTokens: 990_000 };

test(
  "a turn of the real CLI with a compaction in its middle ends once, with its text and nothing of the summary",
  { timeout: 60_000 },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    await rig.run("hello").end;
    const bash = { name: "Bash", input: { command: "echo hi", description: "x" } };
    api.next(reply.toolUse(bash, { text: "before", usage: NEARLY_FULL }), reply.text("after"));
    const turn = rig.run("work");
    expect(await turn.end).toMatchObject({ state: "completed" });
    expect(turn.text).toBe("before\n\nafter");
    expect(turn.reasoning).toBe("[Bash]\n[compacting the conversation]\n");
    expect(await rig.trace(turn)).toMatchObject({ state: "finished", text: "before\n\nafter" });
    await rig.run("next").end;
    expect(rig.unsolicited).toBe(0);
  },
);

test(
  "a turn that was compacted, then cut, is finished by the next process",
  { timeout: 60_000 },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    await rig.run("hello").end;
    const bash = { name: "Bash", input: { command: "echo hi", description: "x" } };
    const held = reply.gated();
    api.next(
      reply.toolUse(bash, { text: "before", usage: NEARLY_FULL }),
      held.reply,
      reply.text("after all"),
    );
    held.push("after");
    const cut = rig.run("work");
    await cut.untilText("before\n\nafter");
    await eventually(async () => expect(await rig.transcript()).toContain("compact_boundary"));
    await rig.kill();
    await cut.end;
    const resumed = await rig.resume(cut, "work");
    expect(await resumed.end).toMatchObject({ state: "completed" });
    expect([resumed.text, resumed.reasoning]).toEqual([" all", ""]);
  },
);

test("a prompt that looks like /compact is plain text to the real CLI", { timeout: 60_000 }, async () => {
  await using api = await MessagesStandIn.start();
  await using rig = await ClaudeRig.start({ api });
  await rig.run("hello").end;
  const turn = rig.run("/compact");
  expect(await turn.end).toMatchObject({ state: "completed" });
  expect([turn.text, turn.reasoning]).toEqual(["standin says: /compact", ""]);
});
