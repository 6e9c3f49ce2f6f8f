import { EMPTY_TRANSCRIPT } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { say } from "../support/chat.ts";
import { FailingDisk } from "../support/failing-disk.ts";
import { hashOf, testCaller } from "../support/test-submit.ts";
import { TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const SETTINGS = `--settings=${JSON.stringify({ permissions: { allow: ["Bash(touch:*)"] } })}`;
const told = expect.stringContaining(JSON.stringify(SETTINGS));
const notTold = expect.not.stringContaining("--settings");

/** Says `always` to what Claude asks in session `s`; returns the point after that. */
async function allowAlways(space: TestWorkspace): Promise<string> {
  const saying = say(space, "!ask Bash", EMPTY_TRANSCRIPT);
  await eventually(() => expect(space.workspace.asks.list(testCaller)).toHaveLength(1));
  const [ask] = space.workspace.asks.list(testCaller);
  space.workspace.asks.answer(ask!.id, { behavior: "always", by: "api" }, testCaller);
  return (await saying).point;
}

test("W-20: what was allowed always each later process of its session is told, and no other", async () => {
  await using space = await TestWorkspace.start();
  const { workspace } = space;
  const point = await allowAlways(space);
  expect((await say(space, "!argv", point)).answer).toEqual(notTold);
  workspace.evictOldest();
  expect((await space.run("!argv")).answer).toEqual(told);
  for (const other of [{ session: "other" }, { session: "aside", isStateless: true }] as const)
    expect((await space.run("!argv", other)).answer).toEqual(notTold);
  const branch = { session: "child", branchOf: "s" };
  expect((await say(space, "!argv", point, branch)).answer).toEqual(notTold);
  expect((await say(space, "!argv", point)).answer).toEqual(told); // another end of the same session
});

test("W-20: a session that begins anew or is ended is allowed nothing any more", async () => {
  await using space = await TestWorkspace.start();
  await allowAlways(space);
  expect((await say(space, "!argv", EMPTY_TRANSCRIPT)).answer).toEqual(notTold);
  await allowAlways(space);
  await space.workspace.endSession("s");
  expect((await space.run("!argv")).answer).toEqual(notTold);
  expect(space.workspace.session("s").allowed).toEqual([]);
});

test("a session is told of with what it was allowed always, to its own API key; so is its export", async () => {
  await using space = await TestWorkspace.start();
  await allowAlways(space);
  const { workspace } = space;
  const allowed = ["Bash(touch:*)"];
  expect(workspace.session("s", testCaller)).toMatchObject({ allowed });
  expect(() => workspace.session("s", hashOf("another"))).toThrow("no such session");
  const lines: string[] = [];
  for await (const line of await workspace.exportSession("s")) lines.push(line);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ session: "s", allowed });
});

test("what cannot be kept is allowed once, and the log says so", async () => {
  using disk = new FailingDisk();
  await using space = await TestWorkspace.start();
  const turn = space.submit("!ask Bash");
  const { id } = await turn.untilAsked();
  disk.fill();
  space.workspace.asks.answer(id, { behavior: "always", by: "api" }, testCaller);
  await turn.outcome;
  disk.recover();
  expect(turn.answer).toContain('allowed: {"updatedInput":{"command":"touch x"}}');
  expect(space.log.fieldsOf("session.rules_not_kept")).toMatchObject([{ session: "s" }]);
  expect(space.workspace.session("s").allowed).toEqual([]);
});
