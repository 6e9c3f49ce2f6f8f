import { mkdir, symlink, writeFile } from "node:fs/promises";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { connected, said } from "./claude-peer.ts";

expectClean();

/** A workspace with files in it and beside it, and a message that waits for its answer. */
async function working() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const workspace = folder.join("workspace");
  await mkdir(folder.join("workspace/sub"), { recursive: true });
  await mkdir(folder.join("workspace-too"));
  await writeFile(folder.join("workspace/sub/chart.PNG"), "png");
  await writeFile(folder.join("secret.txt"), "secret");
  await mkdir(folder.join("workspace/.git"));
  await writeFile(folder.join("workspace/.git/config"), "secret");
  await writeFile(folder.join("workspace/.env"), "secret");
  await symlink(folder.join("workspace/.env"), folder.join("workspace/env.txt"));
  await writeFile(folder.join("workspace-too/secret.txt"), "secret");
  await symlink(folder.join("secret.txt"), folder.join("workspace/link.txt"));
  const world = stack.use(await connected({ CLAUDE_PROJECT_DIR: workspace }));
  world.peer.inbound("t1", "hello");
  await world.claude.notification();
  return { ...world, workspace, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test("files of the workspace are sent before the text of the answer", async () => {
  await using world = await working();
  await world.claude.reply({ text: "see there", attachments: ["sub/chart.PNG"] });
  const path = `${world.workspace}/sub/chart.PNG`;
  expect((await world.peer.take(2)).map(said)).toEqual([
    {
      type: "reply",
      content: "",
      final: false,
      message_id: "t1",
      attachments: [{ name: "chart.PNG", media_type: "image/png", path }],
    },
    { type: "reply", content: "see there", final: true, message_id: "t1" },
  ]);
});

test.for([".env", ".git/config", "env.txt"])("%s is hidden: nothing is sent", async (path) => {
  await using world = await working();
  const { peer, claude } = world;
  expect(await claude.reply({ text: "see there", attachments: [path] })).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining("hidden") as string }],
  });
  expect(await peer.rest()).toEqual([]);
});

test.for(["../secret.txt", "link.txt", "../workspace-too/secret.txt", "/etc/hostname", "sub", ".", "none"])(
  "%s is no file of the workspace: nothing is sent, and Claude may try again",
  async (path) => {
    await using world = await working();
    const { peer, claude } = world;
    expect(await claude.reply({ text: "see there", attachments: [path] })).toMatchObject({ isError: true });
    expect(await peer.rest()).toEqual([]);
    expect(await claude.reply({ text: "without" })).toMatchObject({ content: [{ text: "sent" }] });
  },
);
