import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { eventually, expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";
import { Synthesis, type SynthesisOptions } from "./support/synthesis.ts";

expectClean();

const TOOL = "mcp__synthesis__attach_file";
const LINK = /http:\/\/127\.0\.0\.1:\d+\/v1\/files\/file-[\w-]{32}\/content/g;
const attach = (...paths: string[]) => paths.map((path) => ({ name: TOOL, input: { path } }));
const plain = (answer: string) => answer.replaceAll(LINK, "URL");
const linksIn = (answer: string) => answer.match(LINK) ?? [];

const program = fileURLToPath(new URL("support/attaching-agent.mjs", import.meta.url));
const plugged = (files: "link" | "data" | "off") => ({
  workspace: "alpha",
  driver: "command",
  command: ["{node}", program],
  files,
});
const plugin = async (options: SynthesisOptions = {}) =>
  Synthesis.start({
    agents: { plugged: plugged("link"), inline: plugged("data"), off: plugged("off") },
    ...options,
  });

/** Whatever the link leads to, asked for without an API key. */
async function read(link: string | undefined): Promise<Buffer> {
  const response = await fetch(link ?? "");
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

test("a picture and a report of Claude's reach a streaming client as links, where they were attached", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const picture = randomBytes(2_000_000);
  await mkdir(synthesis.folder.join("alpha", "out"));
  await writeFile(synthesis.folder.join("alpha", "out", "chart.png"), picture);
  await writeFile(synthesis.folder.join("alpha", "report.md"), "# Größe\n");
  const held = reply.gated();
  api.next(reply.toolUse(attach("out/chart.png", "report.md"), { text: "Here they are." }), held.reply);
  const stream = await openStream(synthesis, { model: "claude", session: "s", say: "draw" });
  await stream.until("[report.md]");
  const [chart, report] = linksIn(stream.content);
  // While Claude still goes on.
  expect((await read(chart)).equals(picture)).toBe(true);
  held.push("Done.");
  held.end();
  await stream.end();
  expect(plain(stream.content)).toBe("Here they are.\n\n![chart.png](URL)\n\n[report.md](URL)\n\nDone.");
  expect(stream).toMatchObject({ finishReason: "stop", isDone: true });
  expect(chart?.startsWith(synthesis.endpoint)).toBe(true);
  expect((await read(report)).toString()).toBe("# Größe\n");
});

test("the answer with its link is the conversation's: a client that sends all of it goes on there", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  await writeFile(synthesis.folder.join("alpha", "chart.png"), "picture");
  const affinity = { model: "claude", headers: { "x-session-affinity": "chat" } };
  api.next(reply.toolUse(attach("chart.png"), { text: "Here." }), reply.text("Done."));
  const first = await ask(synthesis, { ...affinity, say: "draw" });
  const messages = [
    { role: "user", content: "draw" },
    { role: "assistant", content: first.content ?? "" },
    { role: "user", content: "and now?" },
  ];
  const next = await ask(synthesis, { ...affinity, say: messages });
  expect(next).toMatchObject({ status: 200, content: "standin says: and now?" });
  const history = api.conversations.at(-1)?.history ?? [];
  expect(history.filter(({ role }) => role === "user").map(({ text }) => text)).toEqual(["draw", "and now?"]);
  // Claude's own memory has the call, not the link.
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).not.toContain("/v1/files/");
});

test("a retry that joins the turn sees the same link, and there is one copy", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  await writeFile(synthesis.folder.join("alpha", "chart.png"), "picture");
  api.next(reply.toolUse(attach("chart.png")), reply.text("Done."));
  const request = {
    model: "claude",
    session: "s",
    say: "draw",
    headers: { "idempotency-key": "one" },
  };
  const left = await openStream(synthesis, request);
  await left.until("](");
  left.leave();
  const again = await streamed(synthesis, request);
  expect(plain(again.content)).toBe("![chart.png](URL)\n\nDone.");
  expect(again.content).toContain(linksIn(left.content)[0]);
  const later = await streamed(synthesis, request);
  expect(later.content).toBe(again.content);
  const hash = createHash("sha256").update(synthesis.folder.join("alpha")).digest("hex").slice(0, 16);
  expect(await readdir(synthesis.folder.join("state", "files", hash))).toHaveLength(1);
});

test("a link outlives the worker and the gateway that made it, and works in the moment when they die", async () => {
  await using synthesis = await plugin();
  await writeFile(synthesis.folder.join("alpha", "a.csv"), "a,b");
  const { content = "" } = await ask(synthesis, { model: "plugged", say: "a.csv" });
  for (let round = 0; round < 3; round++) {
    await synthesis.crash(synthesis.process("synthesis-worker alpha").pid);
    expect((await read(linksIn(content)[0])).toString()).toBe("a,b");
  }
  await synthesis.crash(synthesis.process("synthesis-gateway").pid);
  // A connection that was open before is lost with it.
  await eventually(async () => expect((await read(linksIn(content)[0])).toString()).toBe("a,b"));
});

test("a bridge plugin's files: links, data, names; what cannot be attached is said", async () => {
  await using synthesis = await plugin({ limits: { fileBytes: 4096, inlineFileBytes: 1024 } });
  const { folder } = synthesis;
  await writeFile(folder.join("alpha", "s.png"), "small");
  await writeFile(folder.join("alpha", "m.png"), "m".repeat(2048));
  await writeFile(folder.join("alpha", "l.png"), "l".repeat(4097));
  const say = "s.png\nm.png\nl.png\n/etc/hostname";
  const problems =
    "[file not attached: l.png: it is larger than 4096 bytes (limits.fileBytes)]\n\n" +
    '[file not attached: hostname: "/etc/hostname" is not in the workspace: copy it there first]\n\n';
  const linked = await streamed(synthesis, { model: "plugged", session: "a", say });
  expect(plain(linked.content)).toBe(`Look: \n\n![s.png](URL)\n\n![m.png](URL)\n\n${problems}that is all.`);
  expect((await read(linksIn(linked.content)[1])).toString()).toBe("m".repeat(2048));
  const inline = await streamed(synthesis, { model: "inline", session: "b", say });
  const data = Buffer.from("small").toString("base64");
  expect(plain(inline.content)).toBe(
    `Look: \n\n![s.png](data:image/png;base64,${data})\n\n![m.png](URL)\n\n${problems}that is all.`,
  );
  const off = await ask(synthesis, { model: "off", session: "c", say: "s.png" });
  expect(off.content).toBe("Look: \n\n[file: s.png, application/octet-stream]\n\nthat is all.");
});

test("files: off leaves Claude without the tool", async () => {
  await using running = await WithClaude.start({ agents: { plain: { workspace: "alpha", files: "off" } } });
  const { api, synthesis } = running;
  expect(await ask(synthesis, { model: "plain", say: "hi" })).toMatchObject({ status: 200 });
  expect((api.conversations[0]?.body.tools ?? []).map(({ name }) => name)).not.toContain(TOOL);
});
