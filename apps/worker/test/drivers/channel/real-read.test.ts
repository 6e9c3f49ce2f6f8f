import { mkdir, symlink } from "node:fs/promises";
import { HeadlessAsks } from "@synthesis/config";
import { claudeEnv, expectClean, MessagesStandIn, pinnedClaude, reply, tempFolder } from "@synthesis/testkit";
import { expect, test, vi } from "vitest";
import { channelArguments } from "../../../src/drivers/channel/channel-arguments.ts";
import { privateFolder } from "../../../src/files/private-folder.ts";
import { ReceivedFiles } from "../../../src/files/received-files.ts";
import { LogRecorder } from "../../support/log-recorder.ts";
import { testLimits } from "../../support/test-limits.ts";
import { testCaller } from "../../support/test-submit.ts";
import { TestWorkspace } from "../../support/test-workspace.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000 });

const settings = {
  driver: "channel",
  workspace: "w",
  terminal: "own",
  channels: "approved",
  permissionMode: "default",
  files: "link",
  asks: HeadlessAsks.parse({}),
} as const;
const image = {
  type: "image",
  mediaType: "text/plain",
  data: Buffer.from("hello").toString("base64"),
} as const;

test.for(["plain", "link", "b[r]ack", String.raw`(a), *b? c\d {e} !#f`])(
  "Claude reads what its session was sent below a folder called %s unasked, and nothing of another's",
  async (name) => {
    await using api = await MessagesStandIn.start();
    await using folder = await tempFolder();
    const { CLAUDE_CONFIG_DIR: _, ...env } = claudeEnv(api, folder.path);
    await mkdir(folder.join("real"));
    if (name === "link") await symlink(folder.join("real"), folder.join(name));
    const log = new LogRecorder();
    const place = privateFolder(folder.join(name, "received"), log);
    const received = new ReceivedFiles({ folder: place, limits: testLimits(), log });
    received.start();
    const never = new AbortController().signal;
    const inbox = received.inbox("s", "session");
    const [own] = await inbox.keep([image], never);
    const [other] = await received.inbox("other", "session").keep([image], never);
    const rule = channelArguments(settings, inbox).find((argument) => argument.includes("=Read("));
    const allow = [rule?.replace("--allowedTools=", "") ?? ""];
    const options = { claudeBin: pinnedClaude(), claudeEnv: env, folder, asks: { allow } };
    await using space = await TestWorkspace.start(options);
    const read = (path = "") => reply.toolUse({ name: "Read", input: { file_path: path } });
    api.next(read(own?.path), read(other?.path), reply.text("done"));
    const turn = space.submit("read them");
    const { id, title } = await turn.untilAsked();
    expect(title).toContain(other?.path ?? "nothing");
    space.workspace.asks.answer(id, { behavior: "deny", by: "api" }, testCaller);
    expect(await turn.outcome).toMatchObject({ state: "completed" });
    expect(turn.asks).toHaveLength(1);
    expect(JSON.stringify(api.conversations.at(-1))).toContain("hello");
  },
);
