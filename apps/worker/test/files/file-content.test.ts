import { appendFile, rm, truncate, writeFile } from "node:fs/promises";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openContent, type FileContent } from "../../src/files/file-content.ts";

expectClean();

const MIB = 1024 * 1024;

/** A file of so many bytes in a workspace, opened, and what becomes of it afterwards. */
async function opened(bytes: number, then: (file: string) => Promise<void>) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const file = folder.join("a.log");
  await writeFile(file, "x".repeat(bytes));
  const attachment = { name: "a.log", media_type: "text/plain", path: "a.log" };
  const content = stack.use(await openContent(attachment, folder.path));
  await then(file);
  return { content, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function read(content: FileContent, signal = new AbortController().signal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of content.chunks(signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("what is added later is not part of it", async () => {
  await using later = await opened(MIB, (file) => appendFile(file, "y".repeat(MIB)));
  expect(await read(later.content)).toBe("x".repeat(MIB));
});

test("what is cut off later is missing, and nothing takes its place", async () => {
  await using later = await opened(MIB, (file) => truncate(file, 1000));
  expect(await read(later.content)).toBe("x".repeat(1000));
});

test("what is removed or replaced later is still what it was", async () => {
  await using later = await opened(1000, async (file) => {
    await rm(file);
    await writeFile(file, "another");
  });
  expect(await read(later.content)).toBe("x".repeat(1000));
});

test("reading ends when it is called off", async () => {
  await using later = await opened(MIB, async () => {});
  await expect(read(later.content, AbortSignal.abort(new Error("called off")))).rejects.toThrow("called off");
});
