import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const BYTES = 1_000_000;

/** A running instance with a file as if an agent had attached it, and how to ask for it. */
async function withFile() {
  const synthesis = await Synthesis.start();
  await ask(synthesis, { model: "seed", say: "hi" }); // the workspace is known from its first turn on
  const hash = createHash("sha256").update(synthesis.folder.join("alpha")).digest("hex").slice(0, 16);
  const id = `file-${randomBytes(24).toString("base64url")}`;
  const folder = synthesis.folder.join("state", "files", hash, id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const content = randomBytes(BYTES);
  await writeFile(`${folder}/clip.mp4`, content);
  const get = async (headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${synthesis.endpoint}/v1/files/${id}/content`, { method, headers });
  const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
  return { synthesis, content, get, bytesOf };
}

test("a player gets the parts that it asks for, and knows that it may ask for some", async () => {
  const { synthesis, content, get, bytesOf } = await withFile();
  await using _ = synthesis;
  // As Safari begins: what does not answer this with 206 is not played.
  const first = await get({ range: "bytes=0-1" });
  expect([first.status, Object.fromEntries(first.headers)]).toMatchObject([
    206,
    {
      "accept-ranges": "bytes",
      "content-length": "2",
      "content-range": `bytes 0-1/${BYTES}`,
      "content-type": "video/mp4",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
    },
  ]);
  const parts = [await bytesOf(first)];
  for (const range of ["bytes=2-499999", "bytes=500000-999998", "bytes=-1"])
    parts.push(await bytesOf(await get({ range })));
  expect(Buffer.concat(parts).equals(content)).toBe(true);
  const whole = await get();
  expect([whole.status, whole.headers.get("accept-ranges")]).toEqual([200, "bytes"]);
  expect(whole.headers.get("content-range")).toBeNull();
  expect((await bytesOf(whole)).equals(content)).toBe(true);
});

test("a download goes on where it broke off, if the file is the same", async () => {
  const { synthesis, content, get, bytesOf } = await withFile();
  await using _ = synthesis;
  const head = await get({ range: "bytes=0-1" }, "HEAD");
  expect([head.status, head.headers.get("accept-ranges"), head.headers.get("content-length")]).toEqual([
    200,
    "bytes",
    String(BYTES),
  ]);
  const lastModified = head.headers.get("last-modified") ?? "";
  const rest = await get({ range: "bytes=400000-", "if-range": lastModified });
  expect([rest.status, (await bytesOf(rest)).equals(content.subarray(400_000))]).toEqual([206, true]);
  const other = await get({ range: "bytes=400000-", "if-range": '"another"' });
  expect([other.status, (await bytesOf(other)).length]).toEqual([200, BYTES]);
});

test("what begins behind the end is told the size; several parts at once are the whole", async () => {
  const { synthesis, content, get, bytesOf } = await withFile();
  await using _ = synthesis;
  const behind = await get({ range: `bytes=${BYTES}-` });
  expect([behind.status, behind.headers.get("content-range"), await behind.json()]).toEqual([
    416,
    `bytes */${BYTES}`,
    {
      error: {
        message: `the file has ${BYTES} bytes: ask for some of these`,
        type: "invalid_request_error",
        param: null,
        code: "invalid_request",
      },
    },
  ]);
  const several = await get({ range: "bytes=0-1,5-6" });
  expect([several.status, (await bytesOf(several)).equals(content)]).toEqual([200, true]);
});
