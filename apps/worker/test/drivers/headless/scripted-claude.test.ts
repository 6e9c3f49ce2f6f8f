import { writeFile } from "node:fs/promises";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestWorkspace } from "../../support/test-workspace.ts";

expectClean();

let folder: TempFolder;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

const endsTurn = `echo '{"type":"result","subtype":"error_during_execution","is_error":true}'`;
const init = `echo '{"type":"system","subtype":"init"}'`;
const refusesSession = "echo 'No conversation found with session ID: x' >&2";

/** A `claude` that does this once it was sent something. */
async function claudeThat(...commands: readonly string[]): Promise<string> {
  const file = folder.join("claude");
  await writeFile(file, ["#!/bin/sh", "read -r prompt", ...commands, ""].join("\n"), { mode: 0o755 });
  return file;
}

test("what Claude says when no turn runs is counted and logged, never delivered", async () => {
  const claudeBin = await claudeThat(
    endsTurn,
    `echo '{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"late"}]}}'`,
    init,
    `echo '{"type":"result","subtype":"success","is_error":false,"result":"late"}'`,
    "cat >/dev/null",
  );
  await using space = await TestWorkspace.start({ claudeBin });
  const { turn, outcome } = await space.run("hi");
  expect(outcome).toMatchObject({ state: "failed", error: { code: "turn_failed" } });
  await eventually(() => expect(space.workspace.status().unsolicited).toBe(2));
  expect(space.log.fieldsOf("claude.unsolicited").map(({ type }) => type)).toEqual(["assistant", "result"]);
  expect(turn.events).toEqual(["accepted", "failed"]);
});

test("a crash after the prompt was taken up is no lost session, whatever was said: nothing is run again", async () => {
  const claudeBin = await claudeThat(init, refusesSession, "exit 1");
  await using space = await TestWorkspace.start({ claudeBin });
  const { outcome } = await space.run("hi");
  expect(outcome).toMatchObject({ state: "interrupted", error: { code: "turn_interrupted" } });
  expect(space.exits).toHaveLength(1);
  expect(space.log.fieldsOf("session.reset")).toEqual([]);
});

test("so is a result that repeats the refusal", async () => {
  const refused = `{"type":"result","subtype":"error_during_execution","is_error":true,"errors":["No conversation found with session ID: x"]}`;
  const claudeBin = await claudeThat(init, `echo '${refused}'`, "cat >/dev/null");
  await using space = await TestWorkspace.start({ claudeBin });
  expect((await space.run("hi")).outcome).toMatchObject({ state: "failed", error: { code: "turn_failed" } });
  expect(space.log.fieldsOf("session.reset")).toEqual([]);
});

test("a refusal before anything else is a lost session: it is begun anew, and given up in the end", async () => {
  const claudeBin = await claudeThat(refusesSession, "exit 1");
  await using space = await TestWorkspace.start({ claudeBin });
  expect((await space.run("hi")).outcome).toMatchObject({
    state: "failed",
    error: { code: "agent_unavailable" },
  });
  expect(space.exits).toHaveLength(3);
  expect(space.log.fieldsOf("session.reset")).toHaveLength(2);
});

test.for([
  '{"subtype":"mcp_message","message":{"jsonrpc":"2.0","id":1}}',
  '{"subtype":"hook_callback","tool_use_id":7}',
  '{"of":"tomorrow"}',
  "null",
])("Claude does not wait for ever for an answer to %s: it is refused", async (request) => {
  const asks = `echo '{"type":"control_request","request_id":"r7","request":${request}}'`;
  const waits = `while read -r line; do case "$line" in *'"error","request_id":"r7"'*) ${endsTurn};; esac; done`;
  const claudeBin = await claudeThat(init, asks, waits);
  await using space = await TestWorkspace.start({ claudeBin });
  expect((await space.run("hi")).outcome).toMatchObject({ state: "failed", error: { code: "turn_failed" } });
  expect(space.log.fieldsOf("claude.unreadable_line")).toEqual([]);
});
