import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FilePart } from "../../src/files/file-part.ts";
import { ReceivedFiles, type ReceivedFilesOptions } from "../../src/files/received-files.ts";
import { LogRecorder } from "../support/log-recorder.ts";

expectClean();

let folder: TempFolder;
let log: LogRecorder;
beforeEach(async () => {
  folder = await tempFolder();
  log = new LogRecorder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const KIB = 1024;
const ENTRY = 8 * KIB;
const never = new AbortController().signal;
const root = () => folder.join("received");

function received(limits: Partial<ReceivedFilesOptions["limits"]> = {}): ReceivedFiles {
  const all = { fileBytes: 1024 * KIB, filesBytes: 1024 * KIB, filesKeptMs: 60_000, turnFiles: 8, ...limits };
  const started = new ReceivedFiles({ folder: root(), limits: all, log });
  started.start();
  return started;
}

const base64 = (what: string | number) =>
  Buffer.from(typeof what === "number" ? "x".repeat(what) : what).toString("base64");
const image = (what: string | number, mediaType = "image/png"): FilePart => ({
  type: "image",
  mediaType,
  data: base64(what),
});
const pdf = (name?: string): FilePart => ({
  type: "document",
  mediaType: "application/pdf",
  data: base64("pdf"),
  ...(name === undefined ? {} : { name }),
});
/** For a turn that is over then. */
const keep = async (to: ReceivedFiles, session: string, ...parts: FilePart[]) => {
  const turn = new AbortController();
  const kept = await to.inbox(session, "session").keep(parts, turn.signal);
  turn.abort();
  return kept;
};
/** The files of all sessions that are there. */
const contents = async () => {
  const found = await readdir(root(), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((each) => each.isFile());
  return (await Promise.all(files.map((each) => readFile(join(each.parentPath, each.name), "utf8")))).sort();
};

test("files lie in their session's folder, in order, readable by their user only", async () => {
  const inbox = received().inbox("session one", "session");
  const files = await inbox.keep([image("one"), pdf("Größe.pdf"), image("three", "image/jpeg")], never);
  expect(files).toEqual([
    { name: "image.png", media_type: "image/png", path: expect.any(String) as unknown, bytes: 3 },
    { name: "Größe.pdf", media_type: "application/pdf", path: expect.any(String) as unknown, bytes: 3 },
    { name: "image.jpg", media_type: "image/jpeg", path: expect.any(String) as unknown, bytes: 5 },
  ]);
  const paths = files.map(({ path }) => path);
  expect(await Promise.all(paths.map((path) => readFile(path, "utf8")))).toEqual(["one", "pdf", "three"]);
  const [first = ""] = paths;
  expect(dirname(dirname(first))).toBe(inbox.folder);
  const places = [root(), inbox.folder, dirname(first), first];
  const modes = (await Promise.all(places.map(async (path) => stat(path)))).map(({ mode }) => mode & 0o777);
  expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
});

test("each session has a folder of its own, whatever its id, and one that is forgotten goes with its files", async () => {
  const all = received();
  const ids = ["a", "../b", "x".repeat(128), "live:agent:1"];
  for (const id of ids) await keep(all, id, image(id));
  expect(new Set(ids.map((id) => dirname(all.inbox(id, "session").folder)))).toEqual(new Set([root()]));
  expect(await readdir(root())).toHaveLength(ids.length);
  await all.forget("../b");
  expect(await contents()).toEqual(ids.filter((id) => id !== "../b").sort());
  expect(await readdir(root())).toHaveLength(ids.length - 1);
});

test.for<[given: (string | undefined)[], names: string[]]>([
  [
    ["a.pdf", "a.pdf", "2-a.pdf", "a.pdf"],
    ["a.pdf", "2-a.pdf", "2-2-a.pdf", "3-a.pdf"],
  ],
  [
    [undefined, ""],
    ["document.pdf", "2-document.pdf"],
  ],
  [
    ["CLAUDE.md", ".mcp.json", "run.sh"],
    ["CLAUDE.md.pdf", ".mcp.json.pdf", "run.sh.pdf"],
  ],
  [
    ["../../etc/x.pdf", "C:\\x.pdf"],
    [".._.._etc_x.pdf", "C__x.pdf"],
  ],
  [
    ['a" file_path="b.pdf', "a\n$(b)*<c>.pdf"],
    ["a_ file_path=_b.pdf", "a___b___c_.pdf"],
  ],
])("documents called %j are kept as %j", async ([given, names]) => {
  const files = await keep(received(), "s", ...given.map(pdf));
  expect(files.map(({ name }) => name)).toEqual(names);
  expect(files.map(({ path }) => path.split("/").at(-1))).toEqual(names);
});

test("a name of any length is one that file systems take, also a second time", async () => {
  const files = await keep(received(), "s", pdf("ß".repeat(1000)), pdf("ß".repeat(1000)));
  for (const { name } of files) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  expect(new Set(files.map(({ name }) => name)).size).toBe(2);
});

test.for<[title: string, parts: FilePart[], message: string]>([
  ["one that is too large", [image("a"), image(KIB + 1)], 'the file "2-image.png"'],
  ["too many at once", Array.from({ length: 9 }, () => image("a")), "9 images and files"],
  ["more than all may be", Array.from({ length: 5 }, () => image(KIB)), "limits.filesBytes"],
])("%s: none is kept, and the client is told what to do", async ([, parts, message]) => {
  const all = received({ fileBytes: KIB, filesBytes: 4 * (ENTRY + KIB) });
  await keep(all, "s", image("before"));
  await expect(keep(all, "s", ...parts)).rejects.toMatchObject({
    error: { code: "invalid_request", message: expect.stringContaining(message) as string },
  });
  expect(await contents()).toEqual(["before"]);
});

test("the oldest of any session make room, never what came with the same message", async () => {
  const all = received({ filesBytes: 4 * ENTRY + KIB });
  await keep(all, "a", image("1"));
  await keep(all, "b", image("2"));
  await keep(all, "a", image("3"), image("4"), image("5"));
  expect(await contents()).toEqual(["2", "3", "4", "5"]);
  await keep(all, "b", image("6"), image("7"), image("8"), image("9"));
  expect(await contents()).toEqual(["6", "7", "8", "9"]);
});

test("a session that holds less than its share loses nothing to one that holds most", async () => {
  const all = received({ filesBytes: 8 * (ENTRY + KIB) });
  await keep(all, "quiet", image("old"));
  await keep(all, "busy", image("1"), image("2"), image("3"));
  for (let count = 4; count < 40; count += 2)
    await keep(all, "busy", image(`${count}`), image(`${count + 1}`));
  expect(await contents()).toEqual(["33", "34", "35", "36", "37", "38", "39", "old"]);
  await keep(all, "new", image("x"), image("y"));
  expect(await contents()).toEqual(["35", "36", "37", "38", "39", "old", "x", "y"]);
});

test("what a running turn was sent stays for as long as that runs: others are asked to wait", async () => {
  const all = received({ filesBytes: 4 * (ENTRY + KIB) });
  const turn = new AbortController();
  await all.inbox("a", "session").keep([image("1"), image("2")], turn.signal);
  await keep(all, "b", image("3"));
  await keep(all, "c", image("4"), image("5"));
  expect(await contents()).toEqual(["1", "2", "4", "5"]);
  await expect(keep(all, "d", image("6"), image("7"), image("8"))).rejects.toMatchObject({
    error: {
      code: "worker_unavailable",
      message: expect.stringMatching(/^the files of the message.*limits\.filesBytes.*again$/) as string,
      retryAfterMs: expect.any(Number) as number,
    },
  });
  expect(await contents()).toEqual(["1", "2", "4", "5"]);
  turn.abort();
  await keep(all, "d", image("6"), image("7"), image("8"));
  expect(await contents()).toEqual(["5", "6", "7", "8"]);
});

test("the folder of a session goes with its last file, and what is for a process with that", async () => {
  const all = received({ filesBytes: 3 * (ENTRY + KIB) });
  await keep(all, "a", image("1"));
  await keep(all, "b", image("2"), image("3"));
  await keep(all, "c", image("4"));
  expect((await readdir(root())).length).toBe(3);
  await keep(all, "c", image("5"), image("6"));
  expect((await readdir(root())).length).toBe(1);
  const once = all.inbox("once", "process");
  await once.keep([image("7")], AbortSignal.abort()).catch(() => {});
  const files = await once.keep([image("7"), image("8")], never);
  await once.remove(files.slice(1));
  expect(await contents()).toContain("7");
  expect(await contents()).not.toContain("8");
  await all.inbox("c", "session").release();
  await once.release();
  expect((await readdir(root())).length).toBe(1);
  expect(await contents()).toEqual(["6"]);
});

test("what cannot be written is the machine's fault, and nothing of the message stays", async () => {
  await writeFile(root(), "no folder");
  await expect(keep(received(), "s", image("a"))).rejects.toMatchObject({
    error: { code: "worker_unavailable", message: expect.stringContaining("ENOTDIR") as string },
  });
  expect(log.fieldsOf("files.not_received")).toEqual([{ cause: "ENOTDIR" }]);
  await rm(root());
  const all = received();
  const { folder: own } = all.inbox("s", "session");
  await mkdir(root());
  await writeFile(own, "no folder");
  await expect(keep(all, "s", image("a"), image("b"))).rejects.toMatchObject({
    error: { code: "worker_unavailable" },
  });
});

test("a message that is stopped leaves nothing", async () => {
  const all = received();
  const stop = new AbortController();
  const kept = all.inbox("s", "session").keep([image("a"), image("b")], stop.signal);
  stop.abort(new Error("called off"));
  await expect(kept).rejects.toThrow("called off");
  expect(await contents()).toEqual([]);
});

test("another generation knows what there is: the oldest make room, what is too old goes, and its folder with it", async () => {
  const first = received();
  const [old, young] = [await keep(first, "a", image("old")), await keep(first, "b", image("mid"))];
  await keep(first, "c", image("new"));
  const age = async (path = "", seconds: number) => {
    const at = new Date(Date.now() - seconds * 1_000);
    await utimes(path, at, at);
  };
  await age(old[0]?.path, 50);
  await age(young[0]?.path, 20);
  const next = received({ filesBytes: 3 * ENTRY + KIB });
  await keep(next, "d", image("next"));
  expect(await contents()).toEqual(["mid", "new", "next"]);
  received({ filesKeptMs: 10_000 });
  await eventually(async () => expect(await contents()).toEqual(["new", "next"]));
  await eventually(async () => expect(await readdir(root())).toHaveLength(2));
  expect(log.lines).toEqual([]);
});
