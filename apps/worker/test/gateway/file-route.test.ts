import { readdir, readlink, truncate } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { FileContent } from "../../src/files/file-content.ts";
import { ServedWorkspace } from "../support/served-workspace.ts";

expectClean();

const MIB = 1024 * 1024;

async function keep({ space }: ServedWorkspace, name: string, content: string): Promise<string> {
  const bytes = Buffer.from(content);
  const held: FileContent = {
    bytes: bytes.byteLength,
    async *chunks() {
      yield bytes;
    },
    async [Symbol.asyncDispose]() {},
  };
  return space.workspace.files.keep(name, held, new AbortController().signal);
}

async function get(
  { space }: ServedWorkspace,
  path: string,
  method = "GET",
  headers: Record<string, string> = {},
): Promise<IncomingMessage> {
  const { socketPath } = space.configuration;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request({ socketPath, path, method, headers, agent: false }, resolve).on("error", reject).end();
  return promise;
}

/** How many files of the store this process has open. */
async function openFiles(): Promise<number> {
  const names = await readdir("/proc/self/fd");
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")));
  return targets.filter((target) => target.includes("/files/file-")).length;
}

test("a file comes with its type, size, name and age; an empty one too", async () => {
  await using served = await ServedWorkspace.start();
  const before = Date.now();
  const id = await keep(served, "Größe 1.csv", "a,b\n");
  const answer = await get(served, `/files/${id}`);
  expect([answer.statusCode, answer.headers]).toMatchObject([
    200,
    {
      "content-type": "text/csv",
      "content-length": "4",
      "x-file-name": "Gr%C3%B6%C3%9Fe%201.csv",
    },
  ]);
  const age = Date.parse(answer.headers["last-modified"] ?? "") - before;
  expect(Math.abs(age)).toBeLessThan(10_000);
  expect(await text(answer)).toBe("a,b\n");
  const empty = await get(served, `/files/${await keep(served, "empty", "")}`);
  expect([empty.headers["content-length"], await text(empty)]).toEqual(["0", ""]);
  expect(await openFiles()).toBe(0);
});

test("of a file a part can be had; where it has none of it that is said", async () => {
  await using served = await ServedWorkspace.start();
  const id = await keep(served, "digits.txt", "0123456789");
  const part = async (range: string) => get(served, `/files/${id}`, "GET", { range });
  const middle = await part("bytes=2-4");
  expect([middle.statusCode, middle.headers]).toMatchObject([
    206,
    {
      "content-length": "3",
      "content-range": "bytes 2-4/10",
      "content-type": "text/plain",
      "x-file-name": "digits.txt",
    },
  ]);
  expect(await text(middle)).toBe("234");
  expect(await text(await part("bytes=-3"))).toBe("789");
  const whole = await part("bytes=0-1,3-4");
  expect([whole.statusCode, whole.headers["content-range"], await text(whole)]).toEqual([
    200,
    undefined,
    "0123456789",
  ]);
  const none = await part("bytes=10-");
  expect([none.statusCode, none.headers["content-range"], await text(none)]).toEqual([416, "bytes */10", ""]);
  expect(await openFiles()).toBe(0);
});

test.for([
  `/files/file-${"a".repeat(32)}`,
  "/files/..",
  "/files/%2e%2e",
  "/files/file-%00",
  "/files/journal.sqlite",
])("%s is not found, and nobody's id is repeated or logged", async (path) => {
  await using served = await ServedWorkspace.start();
  const answer = await get(served, path);
  const body = await text(answer);
  expect(answer.statusCode).toBeGreaterThanOrEqual(404);
  expect(JSON.parse(body)).toMatchObject({ error: { message: expect.any(String) as unknown } });
  expect(body).not.toContain("aaaa");
  expect(JSON.stringify(served.space.log.lines)).not.toContain("aaaa");
});

test("nothing but reading is offered, and there is no list", async () => {
  await using served = await ServedWorkspace.start();
  const id = await keep(served, "a.txt", "a");
  for (const [path, method] of [
    ["/files", "GET"],
    ["/files/", "GET"],
    [`/files/${id}/`, "GET"],
    [`/files/${id}`, "DELETE"],
    [`/files/${id}`, "POST"],
  ] as const) {
    const answer = await get(served, path, method);
    expect(answer.statusCode).toBe(409);
    expect(JSON.parse(await text(answer))).toMatchObject({ error: { code: "not_found" } });
  }
});

test("who leaves within a large file closes it, and is no fault", async () => {
  await using served = await ServedWorkspace.start();
  const id = await keep(served, "large.bin", "");
  await truncate(served.space.folder.join("files", id, "large.bin"), 64 * MIB);
  const answer = await get(served, `/files/${id}`);
  await eventually(async () => expect(await openFiles()).toBe(1));
  answer.destroy();
  await eventually(async () => expect(await openFiles()).toBe(0));
  expect(served.space.log.lines).toEqual([]);
});

test("who leaves before the file is open leaves nothing open", async () => {
  await using served = await ServedWorkspace.start();
  const id = await keep(served, "a.txt", "a");
  const { socketPath } = served.space.configuration;
  for (let count = 0; count < 20; count++) {
    const asking = request({ socketPath, path: `/files/${id}`, agent: false });
    const closed = new Promise((resolve) => asking.on("error", () => {}).on("close", resolve));
    asking.end();
    asking.on("socket", (socket) => socket.on("connect", () => setImmediate(() => asking.destroy())));
    await closed;
  }
  const answer = await get(served, `/files/${id}`);
  expect(await text(answer)).toBe("a");
  await eventually(async () => expect(await openFiles()).toBe(0));
  expect(served.space.log.lines).toEqual([]);
});
