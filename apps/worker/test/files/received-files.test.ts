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
const keep = async (to: ReceivedFiles, session: string, ...parts: FilePart[]) =>
  to.inbox(session).keep(parts, never);
/** The files of all sessions that are there. */
const contents = async () => {
  const found = await readdir(root(), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((each) => each.isFile());
  return (await Promise.all(files.map((each) => readFile(join(each.parentPath, each.name), "utf8")))).sort();
};

test("files lie in their session's folder, in order, readable by their user only", async () => {
  const inbox = received().inbox("session one");
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
  expect(new Set(ids.map((id) => dirname(all.inbox(id).folder)))).toEqual(new Set([root()]));
  expect(await readdir(root())).toHaveLength(ids.length);
  await all.forget("../b");
  expect(await contents()).toEqual(ids.filter((id) => id !== "../b").sort());
  all.tidy();
  await eventually(async () => expect(await readdir(root())).toHaveLength(ids.length - 1));
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

test("what cannot be written is the machine's fault, and nothing of the message stays", async () => {
  await writeFile(root(), "no folder");
  await expect(keep(received(), "s", image("a"))).rejects.toMatchObject({
    error: { code: "worker_unavailable", message: expect.stringContaining("ENOTDIR") as string },
  });
  expect(log.fieldsOf("files.not_received")).toEqual([{ cause: "ENOTDIR" }]);
  await rm(root());
  const all = received();
  const { folder: own } = all.inbox("s");
  await mkdir(root());
  await writeFile(own, "no folder");
  await expect(keep(all, "s", image("a"), image("b"))).rejects.toMatchObject({
    error: { code: "worker_unavailable" },
  });
});

test("a message that is stopped leaves nothing", async () => {
  const all = received();
  const stop = new AbortController();
  const kept = all.inbox("s").keep([image("a"), image("b")], stop.signal);
  stop.abort(new Error("called off"));
  await expect(kept).rejects.toThrow("called off");
  expect(await contents()).toEqual([]);
});

test("another generation knows what there is: the oldest make room, what is too old goes, and empty folders with it", async () => {
  const first = received();
  const [old, young] = [await keep(first, "a", image("old")), await keep(first, "b", image("young"))];
  await keep(first, "c", image("new"));
  const age = async (path = "", seconds: number) => {
    const at = new Date(Date.now() - seconds * 1_000);
    await utimes(path, at, at);
  };
  await age(old[0]?.path, 50);
  await age(young[0]?.path, 20);
  const next = received({ filesBytes: 3 * ENTRY + KIB });
  await keep(next, "d", image("next"));
  expect(await contents()).toEqual(["new", "next", "young"]);
  const strict = received({ filesKeptMs: 10_000 });
  await eventually(async () => expect(await contents()).toEqual(["new", "next"]));
  strict.tidy();
  await eventually(async () => expect(await readdir(root())).toHaveLength(2));
  expect(log.lines).toEqual([]);
});
