import { existsSync } from "node:fs";
import { eventually, expectClean, MessagesStandIn, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig, type RigTurn } from "./claude-rig.ts";

expectClean();

const NOTE = "[resumed after an interruption]\n";
const interrupted = { state: "interrupted", error: { code: "turn_interrupted" } };
const completed = { state: "completed", finishReason: "stop" };

/** Does what `act` does while a turn of the real CLI runs, and kills it then. */
async function cutIn(rig: ClaudeRig, prompt: string, act: (turn: RigTurn) => Promise<void>) {
  const turn = rig.run(prompt);
  await act(turn);
  await rig.kill();
  expect(await turn.end).toMatchObject(interrupted);
  return turn;
}

test(
  "the real CLI goes on with a turn that SIGKILL cut in mid-stream: asked once more, answered once",
  { timeout: 60_000 },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    await rig.run("hello").end;
    const held = reply.gated();
    api.next(held.reply);
    held.push("standin says");
    const cut = await cutIn(rig, "count", (turn) => turn.untilText("standin says"));
    expect(await rig.trace(cut)).toEqual({ state: "unfinished", text: "" });

    const resumed = await rig.resume(cut, "count");
    expect(await resumed.end).toMatchObject(completed);
    expect([cut.text, resumed.text, resumed.reasoning]).toEqual(["standin says", ": count", ""]);
    expect(api.conversations).toHaveLength(3);
    expect(api.conversations.at(-1)?.history).toEqual([
      { role: "user", text: "hello" },
      { role: "assistant", text: "standin says: hello" },
      { role: "user", text: "count" },
    ]);
    expect(await rig.trace(cut)).toEqual({
      state: "finished",
      text: "standin says: count",
      stopReason: "end_turn",
    });
    await rig.run("next").end;
    expect(api.conversations).toHaveLength(4);
    expect(rig.unsolicited).toBe(0);
  },
);

test(
  "the real CLI, killed while a tool runs, asks again without that call; a call that was done is not made again",
  { timeout: 60_000 },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    const bash = (command: string) => ({ name: "Bash", input: { command, description: "x" } });
    const effect = `${rig.configuration.path}/effect`;
    api.next(
      reply.toolUse(bash("echo one"), { text: "first" }),
      reply.toolUse(bash(`touch ${effect}; sleep 60`), { text: "second" }),
      reply.text("other"),
    );
    const cut = await cutIn(rig, "work", async (turn) => {
      await eventually(() => expect(existsSync(effect)).toBe(true));
      await eventually(async () => expect(await rig.trace(turn)).toMatchObject({ text: "first" }));
    });
    expect(cut.text).toBe("first\n\nsecond");

    const resumed = await rig.resume(cut, "work");
    expect(await resumed.end).toMatchObject(completed);
    expect([resumed.text, resumed.reasoning]).toEqual(["\n\nother", NOTE]);
    expect(api.conversations).toHaveLength(3);
    const last = JSON.stringify(api.conversations.at(-1)?.body.messages);
    expect(last).toContain("echo one");
    expect(last).not.toContain("sleep 60");
  },
);

test(
  "the real CLI, killed before it read its prompt, has not begun the turn",
  { timeout: 60_000 },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    await rig.run("hello").end;
    await rig.kill();
    rig.open();
    const turn = rig.run("work");
    await rig.kill();
    expect(await turn.end).toMatchObject({ state: "not_begun" });
    expect(await rig.trace(turn)).toEqual({ state: "absent" });
    const again = await rig.resume(turn, "work");
    expect(await again.end).toMatchObject(completed);
    expect(again.text).toBe("standin says: work");
    expect(api.conversations).toHaveLength(2);
  },
);
