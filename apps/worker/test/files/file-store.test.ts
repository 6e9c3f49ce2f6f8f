import { execFileSync } from "node:child_process";
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { eventually, expectClean, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { FileContent } from "../../src/files/file-content.ts";
import { FileStore, type FileStoreOptions } from "../../src/files/file-store.ts";
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
const files = () => folder.join("files");
const never = new AbortController().signal;

function store(limits: Partial<FileStoreOptions["limits"]> = {}): FileStore {
  const all = { filesBytes: 1024 * KIB, filesKeptMs: 60_000, ...limits };
  const started = new FileStore({ folder: files(), limits: all, log });
  started.start();
  return started;
}

/** Content of so many bytes, or this text. */
function content(what: number | string): FileContent {
  const bytes = typeof what === "number" ? Buffer.alloc(what, "x") : Buffer.from(what);
  return {
    bytes: bytes.byteLength,
    async *chunks() {
      yield bytes;
    },
    async [Symbol.asyncDispose]() {},
  };
}

const keep = (to: FileStore, what: number | string, name = "a.txt") => to.keep(name, content(what), never);
const notFound = expect.objectContaining({
  error: expect.objectContaining({ code: "file_not_found" }) as unknown,
}) as unknown;

async function read(from: FileStore, id: string) {
  const { handle, ...file } = await from.open(id);
  return { ...file, text: (await buffer(handle.createReadStream())).toString() };
}

/** Which of these are there. */
async function there(from: FileStore, ids: readonly string[]): Promise<number[]> {
  const found = await Promise.all(
    ids.map((id) =>
      from.open(id).then(
        ({ handle }) => handle.close().then(() => true),
        () => false,
      ),
    ),
  );
  return found.flatMap((isThere, index) => (isThere ? [index] : []));
}

test("what is kept is read again, by its id alone, and belongs to its user only", async () => {
  const one = store();
  const before = Date.now();
  const id = await keep(one, "hello", "Größe.csv");
  expect(id).toMatch(/^file-[\w-]{32}$/);
  expect(await read(one, id)).toEqual({
    name: "Größe.csv",
    mediaType: "text/csv",
    bytes: 5,
    keptAt: expect.any(Number) as unknown,
    text: "hello",
  });
  const { keptAt, handle } = await one.open(id);
  await handle.close();
  expect(Math.abs(keptAt - before)).toBeLessThan(5_000);
  const modes = [files(), `${files()}/${id}`, `${files()}/${id}/Größe.csv`].map(async (path) => stat(path));
  expect((await Promise.all(modes)).map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o700, 0o600]);
  expect(await keep(one, "hello")).not.toBe(id);
});

test.for([
  "",
  "file-",
  "..",
  `../files/file-${"a".repeat(32)}`,
  `file-${"a".repeat(31)}/`,
  `file-${"a".repeat(32)}`,
  `file-${"a".repeat(32)}\n`,
  `file-${"a".repeat(29)}\u0000aa`,
  "x".repeat(10_000),
])("%j is not found", async (id) => {
  await mkdir(files());
  await writeFile(`${files()}/plain`, "secret");
  await expect(store().open(id)).rejects.toEqual(notFound);
});

test("the oldest make room, each file counts something, and an empty one too", async () => {
  const one = store({ filesBytes: 3 * (ENTRY + KIB) });
  const ids: string[] = [];
  for (let count = 0; count < 3; count++) ids.push(await keep(one, KIB));
  expect(await there(one, ids)).toEqual([0, 1, 2]);
  ids.push(await keep(one, 0));
  expect(await there(one, ids)).toEqual([1, 2, 3]);
  ids.push(await keep(one, 10 * KIB));
  expect(await there(one, ids)).toEqual([3, 4]);
  expect(await readdir(files())).toHaveLength(2);
});

test("what is kept at the same time is no more than may be, and every id that was told is good", async () => {
  const one = store({ filesBytes: 3 * ENTRY });
  const old = await keep(one, 0);
  const all = await Promise.allSettled(Array.from({ length: 40 }, () => keep(one, 0)));
  const ids = all.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  expect(ids).toHaveLength(3);
  expect(await there(one, [...ids, old])).toEqual([0, 1, 2]);
  expect(await readdir(files())).toHaveLength(3);
  for (const each of all) {
    if (each.status === "rejected")
      expect(each.reason).toMatchObject({ error: { code: "worker_unavailable" } });
  }
});

test("what has no room beside those that are being kept is refused, and takes nothing from them", async () => {
  const one = store({ filesBytes: 100 * KIB });
  const written = Promise.withResolvers<void>();
  const slow: FileContent = {
    ...content(50 * KIB),
    async *chunks() {
      await written.promise;
      yield Buffer.alloc(50 * KIB);
    },
  };
  const first = one.keep("slow.txt", slow, never);
  await expect(keep(one, 40 * KIB)).rejects.toMatchObject({
    error: {
      code: "worker_unavailable",
      message: expect.stringContaining("again") as string,
      retryAfterMs: expect.any(Number) as number,
    },
  });
  const second = await keep(one, 20 * KIB);
  written.resolve();
  expect(await there(one, [await first, second])).toEqual([0, 1]);
  const third = await keep(one, 20 * KIB); // what was refused takes no room
  expect(await there(one, [await first, second, third])).toEqual([0, 2]);
});

test("what is too old is not found, and gone with the next generation's start", async () => {
  const one = store();
  const ids = [await keep(one, "old"), await keep(one, "new")];
  const at = new Date(Date.now() - 61_000);
  await utimes(`${files()}/${ids[0]}/a.txt`, at, at);
  expect(await there(one, ids)).toEqual([1]);
  expect(await there(store({ filesKeptMs: 120_000 }), ids)).toEqual([0, 1]);
  const next = store();
  expect(await there(next, ids)).toEqual([1]);
  await eventually(async () => expect(await readdir(files())).toEqual([ids[1]]));
});

test("what is larger than all may be is refused, and costs nothing", async () => {
  const one = store({ filesBytes: 2 * ENTRY });
  const id = await keep(one, 10);
  await expect(keep(one, 2 * ENTRY)).rejects.toMatchObject({ error: { code: "invalid_request" } });
  expect(await there(one, [id])).toEqual([0]);
  expect(await readdir(files())).toEqual([id]);
});

test("another generation knows what there is: by age and by size", async () => {
  const ids: string[] = [];
  const first = store();
  for (let count = 0; count < 4; count++) ids.push(await keep(first, KIB));
  const age = async (index: number, seconds: number) => {
    const at = new Date(Date.now() - seconds * 1_000);
    await utimes(`${files()}/${ids[index]}/a.txt`, at, at);
  };
  await age(2, 50);
  await age(0, 20);
  await age(3, 10);
  const next = store({ filesBytes: 3 * (ENTRY + KIB) });
  await eventually(async () => expect(await there(next, ids)).toEqual([0, 1, 3]));
  ids.push(await keep(next, KIB));
  expect(await there(next, ids)).toEqual([1, 3, 4]);
  next.tidy();
  expect(await there(next, ids)).toEqual([1, 3, 4]);
  const strict = store({ filesKeptMs: 5_000 });
  ids.push(await keep(strict, KIB)); // by then it is summed up
  strict.tidy();
  await eventually(async () => expect(await there(strict, ids)).toEqual([1, 4, 5]));
});

test("damaged entries are not served and go with age; those of others stay", async () => {
  const old = new Date(Date.now() - 120_000);
  const id = (letter: string) => `file-${letter.repeat(32)}`;
  const at = (letter: string, ...names: string[]) => [files(), id(letter), ...names].join("/");
  const outside = folder.join("outside");
  await mkdir(outside);
  await writeFile(`${outside}/secret.txt`, "secret");
  for (const letter of ["a", "b", "c", "d", "e"]) await mkdir(at(letter), { recursive: true });
  await writeFile(at("b", "one.txt"), "1");
  await writeFile(at("b", "two.txt"), "2");
  await symlink(`${outside}/secret.txt`, at("c", "link.txt"));
  await mkdir(at("d", "folder"));
  execFileSync("mkfifo", [at("e", "pipe")]);
  await writeFile(at("f"), "no folder");
  await symlink(outside, at("g"));
  await mkdir(`${files()}/lost+found`);
  await writeFile(`${files()}/.DS_Store`, "x");
  const one = store();
  for (const letter of "abcdefg") await expect(one.open(id(letter))).rejects.toEqual(notFound);
  for (const letter of "abcdef") {
    for (const name of await readdir(at(letter)).catch(() => [])) {
      if (name !== "link.txt") await utimes(at(letter, name), old, old);
    }
    await utimes(at(letter), old, old);
  }
  const kept = await keep(one, "fine");
  const next = store();
  await keep(next, "later");
  next.tidy();
  const own = [kept, ".DS_Store", "lost+found"];
  await eventually(async () => {
    const left = await readdir(files());
    expect(left).toEqual(expect.arrayContaining(own));
    for (const letter of "abdef") expect(left).not.toContain(id(letter));
  });
  // The link's own age counts: nothing behind it is looked at, or removed.
  expect(await readFile(`${outside}/secret.txt`, "utf8")).toBe("secret");
  expect(log.fieldsOf("files.foreign_entries")).toEqual([{ entries: 2 }, { entries: 2 }]);
});

test("a copy that fails or is called off leaves nothing, and no id is logged", async () => {
  const one = store({ filesBytes: 2 * ENTRY + 20 });
  const before = await keep(one, 0);
  const stop = new AbortController();
  const failing: FileContent = {
    ...content(10),
    async *chunks(signal) {
      yield Buffer.from("half");
      stop.abort(new Error("called off"));
      signal.throwIfAborted();
    },
  };
  await expect(one.keep("a.txt", failing, stop.signal)).rejects.toThrow("called off");
  expect(await readdir(files())).toEqual([before]);
  await expect(keep(one, 10, "x".repeat(300))).rejects.toMatchObject({ code: "ENAMETOOLONG" });
  expect(await readdir(files())).toEqual([before]);
  // It takes no room either.
  await keep(one, 0);
  expect(await there(one, [before])).toEqual([0]);
  expect(JSON.stringify(log.lines)).not.toContain("file-");
});

test("of several that belong together none is kept where one fails, or the rest is called off", async () => {
  const one = store({ filesBytes: 4 * ENTRY + KIB });
  const before = await keep(one, 0);
  const stop = new AbortController();
  const stopping: FileContent = {
    ...content(0),
    async *chunks() {
      yield Buffer.alloc(0);
      stop.abort(new Error("called off"));
    },
  };
  const named = (each: FileContent, name = "a.txt") => ({ name, content: each });
  const good = named(content(10));
  await expect(one.keepAll([good, named(content(10), "x".repeat(300))], never)).rejects.toThrow(
    "ENAMETOOLONG",
  );
  await expect(one.keepAll([good, named(stopping), good], stop.signal)).rejects.toThrow("called off");
  expect(await readdir(files())).toEqual([before]);
  const ids = await one.keepAll([named(content(0)), named(content(0)), named(content(0))], never);
  expect(await there(one, [before, ...ids])).toEqual([0, 1, 2, 3]);
});

test("a folder that somebody removed is made again", async () => {
  const one = store();
  const lost = await keep(one, "lost");
  await rm(files(), { recursive: true });
  await expect(one.open(lost)).rejects.toEqual(notFound);
  const id = await keep(one, "again");
  expect(await read(one, id)).toMatchObject({ text: "again" });
});

test("what a reader has open it reads to its end, though it makes room", async () => {
  const one = store({ filesBytes: ENTRY + 2 * KIB });
  const id = await keep(one, "still here");
  const { handle } = await one.open(id);
  await keep(one, KIB);
  expect(await there(one, [id])).toEqual([]);
  expect((await buffer(handle.createReadStream())).toString()).toBe("still here");
});

test.skipIf(process.getuid?.() === 0)(
  "what cannot be read is not found, and the cause is logged",
  async () => {
    const one = store();
    const id = await keep(one, "hello");
    await chmod(`${files()}/${id}`, 0);
    await expect(one.open(id)).rejects.toEqual(notFound);
    await chmod(`${files()}/${id}`, 0o700);
    expect(log.fieldsOf("files.unreadable")).toEqual([{ cause: "EACCES" }]);
  },
);

test("a sparse giant that was put there counts with its size", async () => {
  const one = store();
  const giant = await keep(one, 1);
  await truncate(`${files()}/${giant}/a.txt`, 2048 * KIB);
  const next = store();
  const id = await keep(next, 1);
  expect(await there(next, [giant, id])).toEqual([1]);
});
