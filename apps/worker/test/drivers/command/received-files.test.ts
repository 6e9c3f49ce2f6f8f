import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import type { ContentPart, ReceivedFile, ToolResult } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { PluginRig } from "../../support/plugin-rig.ts";

expectClean();

const completed = { state: "completed", finishReason: "stop" };
const taking = { protocol: 1, capabilities: ["received_files"] };
const base64 = (text: string) => Buffer.from(text).toString("base64");
const text = (said: string): ContentPart => ({ type: "text", text: said });
const image: ContentPart = { type: "image", mediaType: "image/png", data: base64("picture") };
const report: ContentPart = {
  type: "document",
  mediaType: "application/pdf",
  data: base64("report"),
  name: "Q3.pdf",
};
const result: ToolResult = {
  type: "tool_result",
  call: "c1",
  name: "draw",
  arguments: "{}",
  content: [text("drawn:"), image],
  isError: false,
};

/** Of all sessions. */
async function filesOf(rig: PluginRig): Promise<string[]> {
  const entries = await readdir(rig.received.path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

test("P-20 a plugin that knows nothing of files is told their paths in the text, each at its place", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect();
  const { end } = rig.run([text("look at"), image, text("and"), report]);
  const inbound = await peer.next("inbound");
  expect(inbound).not.toHaveProperty("attachments");
  const lines = String(inbound["content"]).split("\n\n");
  expect([lines[0], lines[2]]).toEqual(["look at", "and"]);
  expect(lines[1]).toMatch(/^<received_file name="image\.png" media_type="image\/png" path="\/[^"]+">$/);
  const [, path = ""] = /path="([^"]+)"/.exec(lines[3] ?? "") ?? [];
  expect(lines[3]).toBe(`<received_file name="Q3.pdf" media_type="application/pdf" path="${path}">`);
  expect(await readFile(path, "utf8")).toBe("report");
  peer.send({ type: "reply", content: "ok" });
  expect(await end).toEqual(completed);
});

test("P-20 a plugin with received_files gets the paths beside the text, of results of functions too", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect(taking);
  const { end } = rig.run([result, text("look"), report]);
  const { content, attachments } = await peer.next("inbound");
  expect(content).toBe(
    [
      '<function_call name="draw">\n{}\n</function_call>\n<function_result name="draw">\ndrawn:',
      '<received_file name="image.png" media_type="image/png">',
      "\n</function_result>",
      "look",
      '<received_file name="Q3.pdf" media_type="application/pdf">',
    ].join("\n\n"),
  );
  const files = attachments as ReceivedFile[];
  expect(files).toMatchObject([
    { name: "image.png", media_type: "image/png", bytes: 7 },
    { name: "Q3.pdf", media_type: "application/pdf", bytes: 6 },
  ]);
  const contents = files.map(async ({ path }) => readFile(path, "utf8"));
  expect(await Promise.all(contents)).toEqual(["picture", "report"]);
  peer.send({ type: "reply", content: "ok" });
  expect(await end).toEqual(completed);
});

test("P-20 without files there is nothing beside the text", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect(taking);
  rig.run("hello");
  expect(await peer.next("inbound")).not.toHaveProperty("attachments");
});

test("a message that is sent again has its files, as the connection of that moment takes them", async () => {
  await using rig = await PluginRig.start({ seenMs: 200, reconnectMs: 5_000 });
  const peer = await rig.connect({ protocol: 1, capabilities: ["seen"] });
  const { id } = rig.run([image]);
  const { content } = await peer.next("inbound");
  expect(await peer.next("inbound", 2)).toMatchObject({ content });
  peer.socket.terminate();
  await eventually(() => expect(rig.bridge.connections).toBe(0));
  const next = await rig.connect({ protocol: 1, capabilities: ["seen", "received_files"], resumes: id });
  const again = await next.next("inbound");
  expect(String(content)).toContain((again["attachments"] as ReceivedFile[])[0]?.path ?? "no path");
  expect(await readdir(`${rig.received.path}/${(await readdir(rig.received.path))[0]}`)).toHaveLength(1);
});

test("files of a program that has not said hello yet wait for that", async () => {
  await using rig = await PluginRig.start();
  const { end, events } = rig.run([image]);
  await eventually(async () => expect(await readdir(rig.received.path)).toHaveLength(1));
  expect(events).toEqual([]);
  const peer = await rig.connect(taking);
  expect(await peer.next("inbound")).toHaveProperty("attachments");
  peer.send({ type: "reply", content: "ok" });
  expect(await end).toEqual(completed);
});

test("what cannot be kept fails the turn before it starts, and the program is asked the next one", async () => {
  await using rig = await PluginRig.start({ fileBytes: 1024 });
  const peer = await rig.connect(taking);
  const { end, events } = rig.run([{ ...image, data: base64("x".repeat(1025)) }, text("look")]);
  expect(await end).toMatchObject({
    state: "failed",
    error: { code: "invalid_request", message: expect.stringContaining("limits.fileBytes") as string },
  });
  expect(events).toEqual([]);
  await rm(rig.received.path, { recursive: true });
  await writeFile(rig.received.path, "no folder");
  expect(await rig.run([image]).end).toMatchObject({
    state: "failed",
    error: { code: "worker_unavailable", message: expect.stringContaining("disk space") as string },
  });
  rig.run("next");
  expect(await peer.next("inbound")).toMatchObject({ content: "next" });
  expect(await rig.process.steer()).toBe(false);
});

test("a turn that is stopped while its files are written is cancelled, asks nothing, and leaves nothing", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect();
  const { end, events } = rig.run([image, image]);
  rig.process.interrupt();
  expect(await end).toMatchObject({ state: "cancelled" });
  rig.run([text("next"), image]);
  expect(await peer.next("inbound")).toMatchObject({ content: expect.stringContaining("next") as string });
  expect(events).toEqual([]);
  await eventually(async () => expect(await filesOf(rig)).toHaveLength(1));
});

test("a program that ends before it was told of files has not begun, and leaves none of them", async () => {
  await using rig = await PluginRig.start();
  const { end, events } = rig.run([image]);
  await eventually(async () => expect(await filesOf(rig)).toHaveLength(1));
  await rig.process.kill({ code: "test", message: "it was killed" });
  expect(await end).toMatchObject({ state: "not_begun" });
  expect(events).toEqual([]);
  await eventually(async () => expect(await readdir(rig.received.path)).toEqual([]));
});

test("a turn that is cancelled before its program said hello leaves nothing of its files", async () => {
  await using rig = await PluginRig.start();
  const { end } = rig.run([image]);
  await eventually(async () => expect(await filesOf(rig)).toHaveLength(1));
  rig.process.interrupt();
  expect(await end).toMatchObject({ state: "cancelled" });
  await eventually(async () => expect(await readdir(rig.received.path)).toEqual([]));
});

test.for([
  ["session", 1],
  ["process", 0],
] as const)(
  "what was sent for a %s: %i folders are there once the process has ended",
  async ([keptFor, left]) => {
    await using rig = await PluginRig.start({}, { keptFor });
    const peer = await rig.connect(taking);
    const { end } = rig.run([image]);
    await peer.next("inbound");
    peer.send({ type: "reply", content: "ok" });
    expect(await end).toEqual(completed);
    expect(await filesOf(rig)).toHaveLength(1);
    await rig.process.close({ code: "test", message: "it is over" });
    expect(await readdir(rig.received.path)).toHaveLength(left);
  },
);

test("a turn with files that cannot be journaled is not asked", async () => {
  await using rig = await PluginRig.start();
  const peer = await rig.connect();
  const { end } = rig.run([image], () => {
    throw new Error("disk full");
  });
  expect(await end).toMatchObject({ state: "failed", error: { code: "internal_error" } });
  rig.run("next");
  expect(await peer.next("inbound")).toMatchObject({ content: "next" });
});
