import { writeFile } from "node:fs/promises";
import { CommandAsks, type AgentSettings } from "@synthesis/config";
import type { StatusAnswer } from "@synthesis/protocol";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askControl } from "./support/control-client.ts";
import { settingsIn, testKey } from "./support/settings.ts";
import { SupervisorProcess } from "./support/supervisor-process.ts";

expectClean();
vi.setConfig({ testTimeout: 30_000, hookTimeout: 20_000 }); // real processes on a busy machine

/** Takes as many MiB as its message begins with; says them, or asks where the message ends so. */
const AGENT = `
const { SYNTHESIS_BRIDGE_URL: url, SYNTHESIS_SESSION_KEY: openclaw_session } = process.env;
const socket = new WebSocket(url);
const send = (frame) => socket.send(JSON.stringify(frame));
let taken;
socket.onopen = () => send({ type: "hello", pid: process.pid, openclaw_session, protocol: 1, capabilities: ["asks"] });
socket.onclose = () => process.exit();
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "ping") send({ type: "pong" });
  if (frame.type !== "inbound") return;
  const [mib, then] = frame.content.split(" ");
  taken = Buffer.alloc(mib * 1024 * 1024, 1);
  send(then === "ask" ? { type: "ask", id: "1", tool: "Bash", input: {} } : { type: "reply", content: mib });
};
`;

let folder: TempFolder;
let supervisor: SupervisorProcess;
beforeEach(async () => {
  folder = await tempFolder();
  await writeFile(folder.join("agent.js"), AGENT);
  const agentIn = (workspace: string): AgentSettings => ({
    workspace,
    driver: "command",
    command: [process.execPath, folder.join("agent.js")],
    env: {},
    files: "link",
    asks: CommandAsks.parse({ mode: "chat" }),
  });
  supervisor = await SupervisorProcess.start({
    // A person has half of queueMs to answer; hangMs says how often workers look at their memory.
    ...(await settingsIn(folder, { memoryMb: 256, queueMs: 2_000, hangMs: 3_000 })),
    agents: { a: agentIn("a"), b: agentIn("b") },
  });
});
afterEach(async () => {
  await supervisor.end();
  await folder[Symbol.asyncDispose]();
});

const headers = { authorization: `Bearer ${testKey}`, "content-type": "application/json" };

/** Tells the agent of a workspace how much memory to take. */
async function say(model: string, content: string): Promise<void> {
  const body = JSON.stringify({ model, messages: [{ role: "user", content }] });
  const response = await supervisor.fetch("/v1/chat/completions", { method: "POST", headers, body });
  expect([await response.text(), response.status]).toEqual([expect.any(String), 200]);
}

async function statusOf(workspace: string) {
  const { body } = await askControl(folder.join("run", "supervisor.sock"), "GET", "/v1/status");
  return (body as StatusAnswer).workers.find((worker) => worker.workspace === workspace)?.status;
}

async function openAsks(): Promise<number> {
  const list = (await (await supervisor.fetch("/v1/synthesis/asks", { headers })).json()) as {
    readonly data: readonly unknown[];
  };
  return list.data.length;
}

test("where memory is short an idle process goes before one of another workspace that waits for a person longer", async () => {
  await say("a", "1 ask");
  await eventually(async () => expect((await statusOf("a"))?.oldestAskingAt).toBeTypeOf("number"), 10_000);
  await say("b", "400");
  await eventually(async () => expect((await statusOf("b"))?.processes).toBe(0), 15_000);
  expect([(await statusOf("a"))?.processes, await openAsks()]).toEqual([1, 1]);
});

test("where nothing is idle the one that has waited too long for a person goes, who is denied", async () => {
  await say("a", "400 ask");
  expect(await openAsks()).toBe(1);
  await eventually(async () => expect((await statusOf("a"))?.processes).toBe(0), 15_000);
  expect(await openAsks()).toBe(0);
});
