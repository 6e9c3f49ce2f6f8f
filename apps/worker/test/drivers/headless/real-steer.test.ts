import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { eventually, expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { startReal } from "./real-claude.ts";

expectClean();

const timeout = 60_000;
const stopped = { state: "completed", finishReason: "stop" };

test("what is said while a tool runs is taken up within the turn", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  const [begun, release] = [`${rig.configuration.path}/begun`, `${rig.configuration.path}/release`];
  const command = `touch ${begun}; until [ -e ${release} ]; do sleep 0.1; done`;
  api.next(
    reply.toolUse({ name: "Bash", input: { command, description: "x" } }, { text: "working" }),
    reply.text("done, and that too"),
  );
  const turn = rig.run("work");
  await eventually(() => expect(existsSync(begun)).toBe(true));
  const message = randomUUID();
  const steered = rig.process.steer(message, "and that");
  await writeFile(release, "");
  expect(await turn.end).toMatchObject(stopped);
  expect(await steered).toBe(true);
  expect(turn.steered).toEqual([{ message, before: "working" }]);
  expect(turn.text).toBe("working\n\ndone, and that too");
  expect(api.conversations).toHaveLength(2);
  expect(JSON.stringify(api.conversations[1]?.body.messages)).toContain("and that");
  await rig.run("next").end;
  expect([api.conversations.length, rig.unsolicited]).toEqual([3, 0]);
});

test(
  "what was not taken up when the answer ends is withdrawn, or answered: never lost, never another turn's",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    const held = reply.gated();
    api.next(held.reply);
    held.push("to the first");
    const turn = rig.run("first");
    await turn.untilText("to the first");
    const steered = rig.process.steer(randomUUID(), "second");
    held.end();
    expect(await turn.end).toMatchObject(stopped);
    const isTaken = await steered;
    expect(turn.text).toBe(isTaken ? "to the first\n\nstandin says: second" : "to the first");
    const next = rig.run("next");
    await next.end;
    expect(next.text).toBe("standin says: next");
    expect([api.conversations.length, rig.unsolicited]).toEqual([isTaken ? 3 : 2, 0]);
  },
);

test("an interrupt withdraws what waits; nothing is taken up without a turn", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  await rig.run("hello").end;
  expect(await rig.process.steer(randomUUID(), "nobody works")).toBe(false);
  const held = reply.gated();
  api.next(held.reply);
  held.push("to the first");
  const turn = rig.run("first");
  await turn.untilText("to the first");
  const steered = rig.process.steer(randomUUID(), "second");
  rig.process.interrupt();
  expect(await rig.process.steer(randomUUID(), "too late")).toBe(false);
  expect(await turn.end).toMatchObject({ state: "cancelled" });
  expect(await steered).toBe(false);
  const next = rig.run("next");
  await next.end;
  expect(next.text).toBe("standin says: next");
  expect([api.conversations.length, rig.unsolicited]).toEqual([3, 0]);
});

test("once the client has a call, nothing else is said before its result", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  const tools = [{ name: "f1", parameters: { type: "object" } }];
  const release = `${rig.configuration.path}/release`;
  const command = `until [ -e ${release} ]; do sleep 0.1; done`;
  api.next(
    reply.toolUse([
      { id: "toolu_A", name: "mcp__synthesis_client__f1", input: {} },
      { name: "Bash", input: { command, description: "x" } },
    ]),
  );
  const turn = rig.run("work", { tools });
  await eventually(() => expect(turn.calls).toHaveLength(1));
  expect(await rig.process.steer(randomUUID(), "second")).toBe(false);
  await writeFile(release, "");
  expect(await turn.end).toMatchObject({ finishReason: "tool_calls" });
});
