import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ChannelWorkspace } from "../support/channel-workspace.ts";
import { refusalOf, TerminalViewer } from "../support/terminal-viewer.ts";

expectClean();

const own = { agent: "own" } as const;

test("who looks at a terminal late sees its screen whole, then what is drawn next", async () => {
  await using channel = await ChannelWorkspace.start();
  await channel.space.run("hello", own);
  await eventually(() => expect(channel.space.workspace.terminal("s").text).toContain("● channel: hello"));
  await using viewer = await TerminalViewer.open(channel.url("/sessions/s/terminal"));
  await eventually(() => expect(viewer.drawn).toContain("● channel: hello"));
  expect(viewer.drawn).toContain("Welcome to Claude Code");
  expect(viewer.told).toEqual([{ type: "size", cols: 120, rows: 40 }]);
  await channel.space.run("again", own);
  await eventually(() => expect(viewer.drawn).toContain("● channel: again"));
  expect(viewer.drawn.match(/● channel: hello/g)).toHaveLength(1);
});

test("whoever only watches presses no keys", async () => {
  await using channel = await ChannelWorkspace.start();
  await channel.space.run("hello", own);
  await using viewer = await TerminalViewer.open(channel.url("/sessions/s/terminal?mode=watch"));
  viewer.socket.send(Buffer.from("a"));
  expect(await viewer.closed).toMatchObject({ code: 1006 });
  await channel.space.run("again", own);
  expect(channel.space.workspace.terminal("s").text).not.toContain("typed");
});

test("who takes over presses keys, and the terminal takes the size of theirs", async () => {
  await using channel = await ChannelWorkspace.start();
  await channel.space.run("hello", own);
  await using watcher = await TerminalViewer.open(channel.url("/sessions/s/terminal"));
  await using owner = await TerminalViewer.open(channel.url("/sessions/s/terminal?mode=take-over"));
  owner.socket.send(JSON.stringify({ type: "size", cols: 90, rows: 30 }));
  owner.socket.send(Buffer.from("hé"));
  await eventually(() => expect(watcher.drawn).toContain('typed: "hé"'));
  await eventually(() => expect(watcher.drawn).toContain("size: 90x30"));
  expect(watcher.told.at(-1)).toEqual({ type: "size", cols: 90, rows: 30 });
});

test("an unknown message from who takes over ends the connection only", async () => {
  await using channel = await ChannelWorkspace.start();
  await channel.space.run("hello", own);
  for (const bad of ["{", '{"type":"size","cols":0,"rows":1}', '{"type":"size","cols":99999,"rows":1}']) {
    await using owner = await TerminalViewer.open(channel.url("/sessions/s/terminal?mode=take-over"));
    owner.socket.send(bad);
    expect(await owner.closed).toMatchObject({ code: 1006 });
  }
  expect((await channel.space.run("again", own)).answer).toBe("channel: again");
});

test("the end of a terminal ends the connections to it", async () => {
  await using channel = await ChannelWorkspace.start();
  await channel.space.run("hello", own);
  await using owner = await TerminalViewer.open(channel.url("/sessions/s/terminal?mode=take-over"));
  owner.socket.send(Buffer.from("\x03"));
  expect(await owner.closed).toEqual({ code: 1000, reason: "exit code 0" });
});

test("a session without a terminal, an unknown one and an odd path are refused with a reason", async () => {
  await using channel = await ChannelWorkspace.start();
  expect(await refusalOf(channel.url("/sessions/s/terminal"))).toMatchObject({
    error: { code: "session_not_found" },
  });
  await channel.space.run("hello", { agent: "own" });
  await channel.space.workspace.terminal("s").kill({ code: "test", message: "test" });
  expect(await refusalOf(channel.url("/sessions/s/terminal"))).toMatchObject({
    error: { code: "invalid_request", message: expect.stringContaining("driver: channel") },
  });
});

test(
  "who does not read what is drawn is cut off, and whoever reads goes on",
  { timeout: 30_000 },
  async () => {
    await using channel = await ChannelWorkspace.start();
    await channel.space.run("hello", own);
    await using deaf = await TerminalViewer.open(channel.url("/sessions/s/terminal"));
    await using reader = await TerminalViewer.open(channel.url("/sessions/s/terminal"));
    deaf.socket.pause();
    for (let round = 0; round < 8; round++)
      await channel.space.run(`${"x".repeat(512 * 1024)} end of ${round}`, own);
    await eventually(() => expect(reader.drawn).toMatch(/● channel: x+ end of 7/));
    deaf.socket.resume();
    expect(await deaf.closed).toMatchObject({ code: 1006 });
    expect(deaf.drawn).not.toContain("end of 7");
  },
);
