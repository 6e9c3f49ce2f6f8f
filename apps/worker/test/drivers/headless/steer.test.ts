import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig } from "./claude-rig.ts";

expectClean();

const stopped = { state: "completed", finishReason: "stop" };

test("what Claude begins by itself after the answer belongs to the same turn, and its end is the turn's", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!slow 3 100");
  await turn.untilText("w1");
  const [second, third] = [randomUUID(), randomUUID()];
  const steered = [rig.process.steer(second, "second"), rig.process.steer(third, "third")];
  expect(await turn.end).toMatchObject({ ...stopped, usage: { inputTokens: 24, outputTokens: 10 } });
  expect(await Promise.all(steered)).toEqual([true, true]);
  expect(turn.text).toBe("w1 w2 w3\n\nfake: second\nthird (turn 2 of this conversation)");
  expect(turn.steered).toEqual([
    { message: second, before: "w1 w2 w3" },
    { message: third, before: "w1 w2 w3" },
  ]);
  const next = rig.run("next");
  expect(await next.end).toMatchObject(stopped);
  expect(next.text).toBe("fake: next (turn 3 of this conversation)");
  expect(rig.unsolicited).toBe(0);
});

test("what is said while a tool runs is taken up within the turn", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!tool 500");
  await turn.untilText("before the tool");
  const message = randomUUID();
  const steered = rig.process.steer(message, [{ type: "text", text: "second" }]);
  expect(await rig.process.steer(message, "the same again")).toBe(true);
  expect(await turn.end).toMatchObject(stopped);
  expect(await steered).toBe(true);
  expect(turn.steered).toEqual([{ message, before: "before the tool" }]);
  expect(turn.text).toBe("before the tool\n\nafter the tool, and to: second");
});

test("what is taken back is not taken up, unless that is too late; what else was said is", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!tool 500");
  await turn.untilText("before the tool");
  const [second, third] = [randomUUID(), randomUUID()];
  const steered = [rig.process.steer(second, "second"), rig.process.steer(third, "third")];
  rig.process.withdrawSteer(second);
  rig.process.withdrawSteer(second);
  rig.process.withdrawSteer(randomUUID());
  expect(await steered[0]).toBe(false);
  expect(turn.text).toBe("before the tool"); // it is known at once, not with the end
  expect(await steered[1]).toBe(true);
  rig.process.withdrawSteer(third);
  expect(await turn.end).toMatchObject(stopped);
  expect(turn.text).toBe("before the tool\n\nafter the tool, and to: third");
  rig.process.withdrawSteer(third);
  expect(await rig.run("next").end).toMatchObject(stopped);
});

test("an interrupt, and the end of the process, withdraw what waits", async () => {
  await using rig = await ClaudeRig.start();
  for (const stop of [() => rig.process.interrupt(), () => void rig.kill()]) {
    const turn = rig.run("!stall");
    await turn.untilText("one");
    const steered = rig.process.steer(randomUUID(), "second");
    stop();
    expect(await rig.process.steer(randomUUID(), "too late")).toBe(false);
    expect(await steered).toBe(false);
    await turn.end;
    expect(turn.text).toBe("one");
  }
});

/** A `claude` that answers a prompt with a call, ends the turn only when it was told something else, and begins that. */
const lateClaude = `#!${process.execPath}
const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
const event = (event) => say({ type: "stream_event", event, parent_tool_use_id: null });
let turn;
const message = { method: "tools/list", jsonrpc: "2.0", id: 1 };
const request = { subtype: "mcp_message", server_name: "synthesis_client", message };
say({ type: "control_request", request_id: "1", request });
require("node:readline").createInterface({ input: process.stdin }).on("line", (text) => {
  const { type, uuid } = JSON.parse(text);
  if (type !== "user") return;
  if (turn === undefined) {
    turn = uuid;
    say({ type: "command_lifecycle", command_uuid: uuid, state: "started" });
    return;
  }
  event({ type: "message_start", message: { id: "m" } });
  const content_block = { type: "tool_use", id: "toolu_A", name: "mcp__synthesis_client__f1", input: {} };
  event({ type: "content_block_start", index: 0, content_block });
  event({ type: "content_block_stop", index: 0 });
  event({ type: "message_stop" });
  const reason = { terminal_reason: "tool_deferred", stop_reason: "tool_deferred" };
  say({ type: "result", subtype: "success", is_error: false, ...reason, user_message_uuids: [turn] });
  say({ type: "command_lifecycle", command_uuid: uuid, state: "started" });
  event({ type: "content_block_delta", index: 0, delta: { text: "to what came too late" } });
});
`;

test("what Claude begins although the turn waits for its client is not taken up, and goes with the process", async () => {
  await using folder = await tempFolder();
  const bin = folder.join("claude");
  await writeFile(bin, lateClaude, { mode: 0o755 });
  await using rig = await ClaudeRig.start({ bin });
  const tools = [{ name: "f1", parameters: { type: "object" } }];
  const turn = rig.run("call it", { tools });
  expect(await rig.process.steer(randomUUID(), "second")).toBe(false);
  expect(await turn.end).toMatchObject({ state: "completed", finishReason: "tool_calls" });
  expect([turn.calls.length, turn.text]).toEqual([1, ""]);
  await rig.process.closed;
  expect(rig.log.fieldsOf("agent.exited")).toMatchObject([{ reason: "steer_too_late" }]);
  expect(rig.unsolicited).toBe(0);
});

test("a turn that is over ends, though Claude does not say what becomes of what was withdrawn", async () => {
  await using folder = await tempFolder();
  const bin = folder.join("claude");
  const dumb = lateClaude.replace(
    /  say\(\{ type: "command_lifecycle", command_uuid: uuid, state: "started" \}\);\n  event.*\n/,
    "",
  );
  await writeFile(bin, dumb, { mode: 0o755 });
  await using rig = await ClaudeRig.start({ bin, limits: { stallMs: 60_000 } });
  const tools = [{ name: "f1", parameters: { type: "object" } }];
  const turn = rig.run("call it", { tools });
  expect(await rig.process.steer(randomUUID(), "second")).toBe(false);
  expect(await turn.end).toMatchObject({ state: "completed", finishReason: "tool_calls" });
  await rig.process.closed;
  expect(rig.log.fieldsOf("agent.exited")).toMatchObject([{ reason: "unresponsive" }]);
}, 20_000);

test("nothing is said beside an answer that has to meet a schema, or when nothing runs", async () => {
  await using rig = await ClaudeRig.start();
  const turn = rig.run("!slow 3 100", { answerSchema: { type: "object" } });
  expect(await rig.process.steer(randomUUID(), "second")).toBe(false);
  expect(await turn.end).toMatchObject({ state: "failed", error: { code: "answer_format_unmet" } });
  expect(await rig.process.steer(randomUUID(), "third")).toBe(false);
});
