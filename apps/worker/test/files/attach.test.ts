import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { AgentSettings } from "@synthesis/config";
import type { Attachment, Reply } from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { locatedSession, testCaller } from "../support/test-submit.ts";
import {
  commandAgent,
  TestWorkspace,
  type SubmitOptions,
  type TestWorkspaceOptions,
} from "../support/test-workspace.ts";

expectClean();

const filesUrl = "http://127.0.0.1:9/v1/files";
const LINK = /http:\/\/127\.0\.0\.1:9\/v1\/files\/(file-[\w-]{32})\/content/g;
const agentFile = fileURLToPath(new URL("../support/attaching-agent.ts", import.meta.url));
const completed = { state: "completed", finishReason: "stop" };

type Part = Partial<Reply>;
const last = (part: Part): Part => ({ final: true, ...part });
const part = (content: string, ...attachments: Attachment[]): Part => ({
  content,
  final: false,
  attachments,
});
const at = (path: string, name = path.split("/").at(-1) ?? ""): Attachment => ({
  name,
  media_type: "application/octet-stream",
  path,
});
const holding = (name: string, content: string | Buffer, media_type = "image/png"): Attachment => ({
  name,
  media_type,
  data: Buffer.from(content).toString("base64"),
});

/** A workspace with an agent `files` that replies what it is told to. */
async function start({
  files = "link",
  ...options
}: TestWorkspaceOptions & { readonly files?: AgentSettings["files"] } = {}): Promise<TestWorkspace> {
  return TestWorkspace.start({
    ...options,
    agents: { files: { ...commandAgent(agentFile), files } },
  });
}

const run = (space: TestWorkspace, parts: readonly Part[], options: SubmitOptions = {}) =>
  space.run(JSON.stringify(parts), { agent: "files", filesUrl, ...options });

/** An answer without what is different each time. */
const plain = (answer: string) => answer.replaceAll(LINK, "URL");

async function contentsOf(space: TestWorkspace, answer: string): Promise<string[]> {
  const ids = [...answer.matchAll(LINK)].map(([, id = ""]) => id);
  return Promise.all(
    ids.map(async (id) => {
      const { handle } = await space.workspace.files.open(id);
      return (await buffer(handle.createReadStream())).toString();
    }),
  );
}

const inWorkspace = (space: TestWorkspace, name: string) => `${space.configuration.path}/${name}`;

test("P-18 W-23 files stand as links where they were attached, each a copy of its own", async () => {
  await using space = await start();
  await mkdir(inWorkspace(space, "out"));
  await writeFile(inWorkspace(space, "out/r.pdf"), "the report");
  const { turn, outcome, answer } = await run(space, [
    part("Look: ", holding("a b.png", "picture"), at("out/r.pdf")),
    part("and "),
    last({ content: "done.", attachments: [holding("", "notes", "text/plain")].slice(1) }),
  ]);
  expect(outcome).toEqual(completed);
  expect(plain(answer)).toBe("Look: \n\n![a b.png](URL)\n\n[r.pdf](URL)\n\nand done.");
  await rm(inWorkspace(space, "out/r.pdf"));
  expect(await contentsOf(space, answer)).toEqual(["picture", "the report"]);
  expect(turn.events.at(-1)).toBe("completed");
  // Nothing that can be read by everybody who reads the log.
  expect(JSON.stringify(space.log.lines)).not.toMatch(/file-[\w-]{32}/);
});

test("an answer may begin with a file, and be nothing but one", async () => {
  await using space = await start();
  const first = await run(space, [part("", holding("a.png", "1")), last({ content: "that is it" })]);
  expect(plain(first.answer)).toBe("![a.png](URL)\n\nthat is it");
  const only = await run(space, [last({ content: "", attachments: [holding("a.csv", "1", "text/csv")] })]);
  expect([plain(only.answer), only.outcome]).toEqual(["[a.csv](URL)", completed]);
});

test("what follows the turn later sees the same links, and so does the next generation of the worker", async () => {
  const first = await start();
  const { turn, answer } = await run(first, [part("A", holding("a.png", "kept")), last({ content: "B" })]);
  const again = first.follow(turn.id);
  await again.outcome;
  expect(again.answer).toBe(answer);
  expect(first.workspace.find(testCaller, { turn: turn.id })).toMatchObject({ state: "completed" });
  await first.close();
  {
    await using next = await start({ folder: first.folder, epoch: 2 });
    const followed = next.follow(turn.id);
    await followed.outcome;
    expect(followed.answer).toBe(answer);
    expect(await contentsOf(next, followed.answer)).toEqual(["kept"]);
  }
  await first[Symbol.asyncDispose]();
});

test("a link is part of the answer, and of the point after it", async () => {
  await using space = await start();
  const { turn, answer } = await run(space, [part("A", holding("a.png", "1")), last({ content: "B" })]);
  const { rollAnswer, rollTranscript, EMPTY_TRANSCRIPT } = await import("@synthesis/protocol");
  const said = JSON.stringify([part("A", holding("a.png", "1")), last({ content: "B" })]);
  const point = rollAnswer(rollTranscript(EMPTY_TRANSCRIPT, "user", said), answer, []);
  expect(await space.workspace.locate({ session: "s", points: [point] })).toEqual({
    ...locatedSession,
    agent: "files",
    key: "files::s",
    point,
    isHead: true,
  });
  expect(turn.answer).toBe(answer);
});

test.for([
  ["of a file that is not there", "gone.txt", "there is no file"],
  ["outside", "../outside.txt", "is not in the workspace"],
  ["outside, absolute", "/etc/hostname", "is not in the workspace"],
  ["of a link that leads outside", "link.txt", "is not in the workspace"],
  ["below a link that leads outside", "up/outside.txt", "is not in the workspace"],
  ["of a folder", "folder", "is not a regular file"],
  ["of the workspace itself", ".", "is not in the workspace"],
  ["of a pipe that nobody writes to", "pipe", "is not a regular file"],
  ["of a hidden file", ".env", "is hidden"],
  ["of a file in a hidden folder", ".git/config", "is hidden"],
  ["of a link to a hidden file", "plain.txt", "is hidden"],
  ["with a NUL", "a\u0000b", "there is no file"],
  ["of a file that is too large", "large.bin", "is larger than 2048 bytes (limits.fileBytes)"],
])("a path %s is not attached, the client is told so, and the turn goes on", async ([, path, why]) => {
  await using space = await start({ limits: { fileBytes: 2048 } });
  const { configuration, folder } = space;
  await writeFile(folder.join("outside.txt"), "secret");
  await symlink(folder.join("outside.txt"), `${configuration.path}/link.txt`);
  await symlink(folder.path, `${configuration.path}/up`);
  await mkdir(`${configuration.path}/folder`);
  await mkdir(`${configuration.path}/.git`);
  for (const name of [".env", ".git/config"]) await writeFile(`${configuration.path}/${name}`, "secret");
  await symlink(".env", `${configuration.path}/plain.txt`);
  execFileSync("mkfifo", [`${configuration.path}/pipe`]);
  await writeFile(`${configuration.path}/large.bin`, "x".repeat(2049));
  const { outcome, answer } = await run(space, [part("A", at(path!, "it.txt")), last({ content: "B" })]);
  expect(outcome).toEqual(completed);
  expect(answer).toMatch(/^A\n\n\[file not attached: it\.txt: .*\]\n\nB$/);
  expect(answer).toContain(why);
  expect(answer).not.toContain(folder.path);
  expect(space.log.fieldsOf("file.not_attached")).toEqual([
    { name: "it.txt", cause: expect.stringContaining(why!) as unknown },
  ]);
  expect(await readdir(folder.join("files")).catch(() => [])).toEqual([]);
});

test("a link that stays inside is followed; content has the same limit as a file", async () => {
  await using space = await start({ limits: { fileBytes: 2048 } });
  await writeFile(inWorkspace(space, "real.txt"), "x".repeat(2048));
  await symlink("real.txt", inWorkspace(space, "link.txt"));
  const { answer } = await run(
    space,
    [part("A", at("link.txt"), holding("b.png", "y".repeat(2049)))].concat(last({ content: "B" })),
  );
  expect(plain(answer)).toBe(
    "A\n\n[link.txt](URL)\n\n[file not attached: b.png: it is larger than 2048 bytes (limits.fileBytes)]\n\nB",
  );
  expect(await contentsOf(space, answer)).toEqual(["x".repeat(2048)]);
});

test("a turn has so many files at most", async () => {
  await using space = await start({ limits: { turnFiles: 2 } });
  const three = [1, 2, 3].map((count) => holding(`${count}.png`, "x"));
  const first = await run(space, [part("", ...three), last({ content: "" })]);
  expect(plain(first.answer)).toBe(
    "![1.png](URL)\n\n![2.png](URL)\n\n[file not attached: 3.png: an answer has 2 files at most (limits.turnFiles)]",
  );
  const next = await run(space, [last({ content: "", attachments: three.slice(2) })]);
  expect(plain(next.answer)).toBe("![3.png](URL)");
});

test("files: data puts small images into the answer itself, and nothing else", async () => {
  await using space = await start({ files: "data", limits: { inlineFileBytes: 1024 } });
  const { answer } = await run(space, [
    part("", holding("s.png", "small")),
    part("", holding("l.png", "l".repeat(1025)), holding("v.svg", "<svg/>", "image/svg+xml")),
    last({ content: "", attachments: [holding("t.txt", "text", "text/plain")] }),
  ]);
  const data = Buffer.from("small").toString("base64");
  expect(plain(answer)).toBe(
    `![s.png](data:image/png;base64,${data})\n\n![l.png](URL)\n\n[v.svg](URL)\n\n[t.txt](URL)`,
  );
});

test("files: off names them, and reads none", async () => {
  await using space = await start({ files: "off" });
  const { answer } = await run(space, [
    part("A", at("not/there.pdf")),
    last({ content: "B", attachments: [holding("a.png", "x")] }),
  ]);
  expect(answer).toBe("A\n\n[file: there.pdf, application/octet-stream]\n\nB\n\n[file: a.png, image/png]");
  expect(await readdir(space.folder.join("files")).catch(() => [])).toEqual([]);
});

test("a client that is told no place for files learns of them", async () => {
  await using space = await start();
  const { answer } = await run(space, [last({ content: "A", attachments: [holding("a.png", "x")] })], {
    filesUrl: undefined,
  });
  expect(answer).toBe("A\n\n[file not attached: a.png: its client has no way to get files]");
});

test("where the answer is to meet a schema the link is beside it", async () => {
  await using space = await start();
  const { turn, answer } = await run(space, [last({ content: "{}", attachments: [holding("a.png", "x")] })], {
    answerSchema: { type: "object" },
  });
  expect(answer).toBe("{}");
  expect(plain(turn.reasoningText)).toBe("![a.png](URL)\n");
});

test("files that stand in the answer themselves count as part of its length", async () => {
  await using space = await start({ files: "data", limits: { answerBytes: 4096 } });
  const picture = holding("a.png", "x".repeat(2048));
  const { outcome } = await run(space, [part("", picture, picture, picture), last({ content: "end" })]);
  expect(outcome).toMatchObject({
    state: "failed",
    error: { message: expect.stringContaining("limits.answerBytes") as unknown },
  });
});

test("a turn that is cancelled while it copies ends at once, and what was begun is removed", async () => {
  await using space = await start({ limits: { fileBytes: 512 * 1024 * 1024 } });
  await writeFile(inWorkspace(space, "huge.bin"), "");
  await truncate(inWorkspace(space, "huge.bin"), 512 * 1024 * 1024);
  const parts = [part("A", at("huge.bin")), last({ content: "B" })];
  const turn = space.submit(JSON.stringify(parts), { agent: "files", filesUrl });
  await turn.untilText("A");
  await eventually(async () => expect(await readdir(space.folder.join("files"))).toHaveLength(1));
  space.workspace.cancel(turn.id, "its client left");
  const { state } = await turn.outcome;
  await eventually(async () => expect(await readdir(space.folder.join("files"))).toEqual([]));
  // The answer's last part may have come before the program was ended: then the answer is whole.
  const rest = state === "completed" ? "\n\nB" : "";
  expect(["completed", "cancelled"]).toContain(state);
  expect(turn.answer).toBe(`A\n\n[file not attached: huge.bin: the turn was stopped]${rest}`);
});
