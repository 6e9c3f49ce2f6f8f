import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig, RigTurn } from "./claude-rig.ts";

expectClean();

const NOTE = "[resumed after an interruption]\n";
const interrupted = { state: "interrupted", error: { code: "turn_interrupted" } };
const completed = { state: "completed", finishReason: "stop" };

test.for([
  { prompt: "!crash-once", shown: "one two", trace: "unfinished", rest: " three", note: "" },
  { prompt: "!crash-changed", shown: "one two", trace: "unfinished", rest: "\n\nother words", note: NOTE },
  {
    prompt: "!crash-tool",
    shown: "before the tool",
    trace: "unfinished",
    rest: "\n\nafter the tool",
    note: "[Bash]\n",
  },
  {
    prompt: "!crash-after",
    shown: "fake: !crash-after (turn 2 of this conversation)",
    trace: "finished",
    rest: "",
    note: "",
  },
])("a turn cut by $prompt is finished by the next process", async ({ prompt, shown, trace, rest, note }) => {
  await using rig = await ClaudeRig.start();
  await rig.run("hi").end;
  const cut = rig.run(prompt);
  expect(await cut.end).toMatchObject(interrupted);
  expect(cut.text).toBe(shown);
  expect(await rig.trace(cut)).toMatchObject({ state: trace });

  const resumed = await rig.resume(cut, prompt);
  expect(await resumed.end).toMatchObject(completed);
  expect([resumed.text, resumed.reasoning]).toEqual([rest, note]);
  expect(await rig.trace(cut)).toMatchObject({ state: "finished" });

  const next = rig.run("next");
  await next.end;
  expect(next.text).toBe("fake: next (turn 3 of this conversation)");
  expect(rig.unsolicited).toBe(0);
});

test("a turn whose prompt was never worked on is prompted as usual, and the turn before it is left alone", async () => {
  await using rig = await ClaudeRig.start();
  const before = rig.run("!crash-once");
  await before.end;
  const unread = new RigTurn(crypto.randomUUID());
  expect(await rig.trace(unread)).toEqual({ state: "absent" });
  const turn = await rig.resume(unread, "hello");
  await turn.end;
  expect(turn.text).toBe("fake: hello (turn 2 of this conversation)");
  expect(rig.unsolicited).toBe(0);
});

test("a turn that had been interrupted before its process died is not gone on with", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!stall");
  await turn.untilText("one");
  rig.process.interrupt();
  expect(await turn.end).toMatchObject({ state: "cancelled" });
  await rig.kill();
  expect(await rig.trace(turn)).toEqual({ state: "stopped" });
  const resumed = await rig.resume(turn, "!stall");
  expect(await resumed.end).toMatchObject(interrupted);
  expect(resumed.text).toBe("");
});

test("a process that dies before it reads its prompt has not begun the turn", async () => {
  await using rig = await ClaudeRig.start();
  await rig.run("hi").end;
  const turn = rig.run("!unread");
  expect(await turn.end).toMatchObject({ state: "not_begun", error: { code: "agent_unavailable" } });
  expect(JSON.stringify(await turn.end)).toContain("exit code 1");
});
