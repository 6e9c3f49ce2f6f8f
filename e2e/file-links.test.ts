import { once } from "node:events";
import { mkdir, readdir, readlink, truncate, writeFile } from "node:fs/promises";
import { createHash, randomBytes } from "node:crypto";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { residentBytes } from "@synthesis/kit";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const MIB = 1024 * 1024;

/** A file in the store of a workspace, as if an agent had attached it, or so many empty bytes; its id. */
async function keep(synthesis: Synthesis, workspace: string, content: Uint8Array | number): Promise<string> {
  const hash = createHash("sha256").update(synthesis.folder.join(workspace)).digest("hex").slice(0, 16);
  const id = `file-${randomBytes(24).toString("base64url")}`;
  const folder = synthesis.folder.join("state", "files", hash, id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/data.bin`, typeof content === "number" ? "" : content);
  if (typeof content === "number") await truncate(`${folder}/data.bin`, content);
  return id;
}

const link = ({ endpoint }: Synthesis, id: string) => `${endpoint}/v1/files/${id}/content`;

/** A client that has the head of a file, and reads on only when it is told to. */
async function reader(synthesis: Synthesis, id: string): Promise<IncomingMessage> {
  const asking = request(link(synthesis, id), { agent: false }).end();
  const [reading] = (await once(asking, "response")) as [IncomingMessage];
  return reading;
}

/** How often a process has files of a store open. */
async function openFiles(pid: number): Promise<number> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(
    names.map(async (name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")),
  );
  return targets.filter((target) => target.includes("/files/")).length;
}

test("a link works while its workspace's worker is at rest, and after a restart of everything that runs", async () => {
  await using synthesis = await Synthesis.start({ limits: { workspaces: 1 } });
  await ask(synthesis, { model: "seed", say: "hi" });
  const content = randomBytes(100_000);
  const id = await keep(synthesis, "alpha", content);
  const headers = { connection: "close" }; // one that is kept alive ends with its gateway
  const read = async () => Buffer.from(await (await fetch(link(synthesis, id), { headers })).arrayBuffer());
  expect((await read()).equals(content)).toBe(true);
  await ask(synthesis, { model: "seed-beta", say: "hi" });
  const running = async () => (await synthesis.health()).workers.map(({ workspace }) => workspace);
  expect(await running()).toEqual(["beta"]);
  // Whoever tries ids starts nothing.
  expect((await fetch(link(synthesis, `file-${"x".repeat(32)}`), { headers })).status).toBe(404);
  expect(await running()).toEqual(["beta"]);
  expect((await read()).equals(content)).toBe(true);
  expect(await running()).toEqual(["alpha"]);
  await synthesis.crash(synthesis.process("synthesis-gateway").pid);
  await synthesis.crash(synthesis.process("synthesis-worker alpha").pid);
  await eventually(async () => expect((await read()).equals(content)).toBe(true));
});

test("clients that read slowly or leave cost no memory and no descriptor", async () => {
  await using synthesis = await Synthesis.start();
  await ask(synthesis, { model: "seed", say: "hi" });
  const id = await keep(synthesis, "alpha", 100 * MIB);
  const pids = ["synthesis-gateway", "synthesis-worker alpha"].map((title) => synthesis.process(title).pid);
  const memory = () => pids.reduce((sum, pid) => sum + (residentBytes(pid) ?? 0), 0);
  const [, worker] = pids as [number, number];
  const before = memory();
  const readers = await Promise.all(Array.from({ length: 10 }, async () => reader(synthesis, id)));
  expect(await openFiles(worker)).toBe(10);
  expect(memory() - before).toBeLessThan(250 * MIB); // of 1000 that they asked for
  const [first, ...others] = readers;
  for (const leaving of others) leaving.on("error", () => {}).destroy();
  await eventually(async () => expect(await openFiles(worker)).toBe(1));
  let bytes = 0;
  for await (const chunk of first! as AsyncIterable<Buffer>) bytes += chunk.length;
  expect(bytes).toBe(100 * MIB);
  await eventually(async () => expect(await openFiles(worker)).toBe(0));
});

test("a download whose worker dies breaks off", async () => {
  await using synthesis = await Synthesis.start();
  await ask(synthesis, { model: "seed", say: "hi" });
  const id = await keep(synthesis, "alpha", 25 * MIB);
  const reading = await reader(synthesis, id);
  expect(reading.headers["content-length"]).toBe(String(25 * MIB));
  await synthesis.crash(synthesis.process("synthesis-worker alpha").pid);
  await expect(text(reading)).rejects.toThrow("aborted");
});

test("no id of a file stands in a log, whatever becomes of it", async () => {
  await using synthesis = await Synthesis.start({ config: { log: { level: "debug" } } });
  await ask(synthesis, { model: "seed", say: "hi" });
  const id = await keep(synthesis, "alpha", 25 * MIB);
  const unknown = `file-${"x".repeat(32)}`;
  for (const path of [id, `${id}/content`, `${id}/more`, unknown, `${unknown}/content`])
    await (await fetch(`${synthesis.endpoint}/v1/files/${path}`)).arrayBuffer();
  await fetch(link(synthesis, id), { headers: { origin: "https://evil.example" } });
  const leaving = await reader(synthesis, id);
  leaving.on("error", () => {}).destroy();
  const cut = await reader(synthesis, id);
  await synthesis.crash(synthesis.process("synthesis-worker alpha").pid);
  await expect(text(cut)).rejects.toThrow("aborted");
  await synthesis.stop();
  expect(synthesis.log.lines.length).toBeGreaterThan(3);
  for (const secret of [id, unknown]) expect(synthesis.log.text).not.toContain(secret.slice(5));
  for (const event of ["session_api.cut", "session_api.failed", "gateway.failed", "files.not_read"])
    expect(synthesis.log.of(event)).toEqual([]);
});
