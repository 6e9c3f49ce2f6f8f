import { randomBytes } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ReceivedFile } from "@synthesis/protocol";
import {
  claudeEnv,
  eventually,
  expectClean,
  fakeClaudeCommand,
  MessagesStandIn,
  pinnedClaude,
  reply,
  tempFolder,
} from "@synthesis/testkit";
import OpenAI, { BadRequestError } from "openai";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { PtyCli } from "./support/pty-cli.ts";
import { Synthesis, type SynthesisOptions } from "./support/synthesis.ts";

expectClean();

const program = fileURLToPath(new URL("support/receiving-agent.mjs", import.meta.url));
const command = (...capabilities: readonly string[]) => ({
  workspace: "alpha",
  driver: "command",
  command: ["{node}", program, ...capabilities],
});
const start = async (options: SynthesisOptions = {}) =>
  Synthesis.start({ agents: { old: command(), knowing: command("received_files") }, ...options });

const clientOf = ({ endpoint, key }: Synthesis) =>
  new OpenAI({ baseURL: `${endpoint}/v1`, apiKey: key, maxRetries: 0 });

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const imageUrl = (content: Buffer) => ({
  type: "image_url" as const,
  image_url: { url: `data:image/png;base64,${content.toString("base64")}` },
});
const file = (name: string, mediaType: string, content: Buffer | string) => ({
  type: "file" as const,
  file: {
    filename: name,
    file_data: `data:${mediaType};base64,${Buffer.from(content).toString("base64")}`,
  },
});
const said = (text: string) => ({ type: "text" as const, text });

/** What the plugin was told. */
interface Told {
  readonly content: string;
  readonly attachments?: readonly ReceivedFile[];
  /** Of the files, in base64. */
  readonly contents: readonly string[];
}
const told = (answer: OpenAI.ChatCompletion) => JSON.parse(answer.choices[0]?.message.content ?? "") as Told;

/** Where the files of the workspaces' sessions lie. */
async function receivedBy(synthesis: Synthesis): Promise<string[]> {
  const folder = synthesis.folder.join("state", "received");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

test("P-20 an image and a PDF of an OpenAI client reach a plugin that is older than that, as paths in its text", async () => {
  await using synthesis = await start();
  const picture = randomBytes(2_000_000);
  const content = [
    said("compare"),
    imageUrl(picture),
    said("with"),
    file("plan.pdf", "application/pdf", "pdf"),
  ];
  const answer = await clientOf(synthesis).chat.completions.create({
    model: "old",
    messages: [{ role: "user", content: [...content, file("notes.md", "text/markdown", "# Größe")] }],
  });
  const { attachments, contents, ...text } = told(answer);
  expect(attachments).toBeUndefined();
  expect(text.content.replaceAll(/ path="[^"]+"/g, "")).toBe(
    [
      "compare",
      '<received_file name="image.png" media_type="image/png">',
      "with",
      '<received_file name="plan.pdf" media_type="application/pdf">',
      '<document name="notes.md">\n# Größe\n</document>',
    ].join("\n\n"),
  );
  expect(contents[0] === picture.toString("base64")).toBe(true);
  expect(contents[1]).toBe(Buffer.from("pdf").toString("base64"));
  expect((await receivedBy(synthesis)).length).toBe(2);
});

test("P-20 a plugin that knows of files gets them beside its text, by the Responses API too", async () => {
  await using synthesis = await start();
  const client = clientOf(synthesis);
  const answer = await client.chat.completions.create({
    model: "knowing",
    messages: [{ role: "user", content: [said("look"), imageUrl(PNG)] }],
  });
  const [first] = told(answer).attachments ?? [];
  expect(first).toMatchObject({ name: "image.png", media_type: "image/png", bytes: PNG.byteLength });
  expect(told(answer)).toMatchObject({
    content: 'look\n\n<received_file name="image.png" media_type="image/png">',
    contents: [PNG.toString("base64")],
  });
  const { url: image_url } = imageUrl(PNG).image_url;
  const response = await client.responses.create({
    model: "knowing",
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "look" },
          { type: "input_image", image_url, detail: "auto" },
        ],
      },
    ],
  });
  expect((JSON.parse(response.output_text) as Told).contents).toEqual([PNG.toString("base64")]);
});

test("images of earlier messages stand in the account of them", async () => {
  await using synthesis = await start();
  const answer = await clientOf(synthesis).chat.completions.create({
    model: "knowing",
    messages: [
      { role: "user", content: [said("look"), imageUrl(PNG)] },
      { role: "assistant", content: "nice" },
      { role: "user", content: [said("and this?"), imageUrl(Buffer.from("other"))] },
    ],
  });
  const { content, contents, attachments } = told(answer);
  expect(content).toMatch(
    /<conversation_so_far>[^]*<received_file name="image\.png"[^]*<\/conversation_so_far>[^]*<received_file name="2-image\.png"/,
  );
  expect(attachments?.map(({ name }) => name)).toEqual(["image.png", "2-image.png"]);
  expect(contents).toEqual([PNG.toString("base64"), Buffer.from("other").toString("base64")]);
});

test("what is too large is an error that says so, and nothing of the message is kept", async () => {
  await using synthesis = await start({ limits: { fileBytes: 1024 } });
  const client = clientOf(synthesis);
  const content = [imageUrl(PNG), imageUrl(randomBytes(1025))];
  const asked = client.chat.completions.create({ model: "old", messages: [{ role: "user", content }] });
  await expect(asked).rejects.toThrow(BadRequestError);
  await expect(asked).rejects.toThrow("limits.fileBytes");
  expect(await receivedBy(synthesis)).toEqual([]);
});

test("a session that is ended goes with its files, and another's stay", async () => {
  await using synthesis = await start();
  const client = clientOf(synthesis);
  const ended = await client.chat.completions
    .create({ model: "old", messages: [{ role: "user", content: [imageUrl(PNG)] }] })
    .withResponse();
  await client.chat.completions.create({
    model: "old",
    messages: [{ role: "user", content: [imageUrl(PNG)] }],
  });
  expect(await receivedBy(synthesis)).toHaveLength(2);
  const session = ended.response.headers.get("x-synthesis-session") ?? "";
  await client.delete(`/synthesis/sessions/${session}`);
  await eventually(async () => expect(await receivedBy(synthesis)).toHaveLength(1));
});

test("what came with a question without a conversation goes with its process", async () => {
  await using synthesis = await start();
  const client = clientOf(synthesis);
  const answer = await client.chat.completions.create(
    { model: "old", messages: [{ role: "user", content: [imageUrl(PNG)] }] },
    { headers: { "x-synthesis-history": "stateless" } },
  );
  expect(told(answer).contents).toEqual([PNG.toString("base64")]);
  await eventually(async () => expect(await receivedBy(synthesis)).toEqual([]));
});

test("a Claude in a terminal is told of the image, and its plugin where that lies", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const claude = { bin: await fakeClaudeCommand(folder.path, "channel-claude"), env: {} };
  const agents = { own: { workspace: "alpha", driver: "channel" } };
  const synthesis = stack.use(await Synthesis.start({ claude, agents }));
  const answer = await clientOf(synthesis).chat.completions.create({
    model: "own",
    messages: [{ role: "user", content: [said("look"), imageUrl(PNG)] }],
  });
  expect(answer.choices[0]?.message.content).toBe(
    'channel: look\n\n<received_file name="image.png" media_type="image/png">',
  );
});

test("the real Claude in a terminal reads what its client sent without asking anybody", async () => {
  await using stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const home = stack.use(await tempFolder());
  const { PATH: _path, ANTHROPIC_API_KEY: _key, ...env } = claudeEnv(api, home.path);
  const claude = { bin: pinnedClaude(), env: { ...env, ANTHROPIC_AUTH_TOKEN: "stand-in" } };
  const agents = { live: { workspace: "alpha", driver: "channel", terminal: "yours" } };
  const synthesis = stack.use(await Synthesis.start({ claude, agents, limits: { seenMs: 30_000 } }));
  const projects = { [synthesis.folder.join("alpha")]: { hasTrustDialogAccepted: true } };
  await mkdir(home.join(".claude"), { recursive: true });
  const state = { hasCompletedOnboarding: true, theme: "dark", projects };
  await writeFile(home.join(".claude", ".claude.json"), JSON.stringify(state));
  const lease = stack.use(new AsyncDisposableStack());
  const terminal = lease.use(new PtyCli(synthesis, ["claude"]));
  await synthesis.log.line("plugin.connected");
  await terminal.shows("❯");
  const answer = ask(synthesis, {
    model: "live",
    say: [{ role: "user", content: [said("what is it?"), imageUrl(PNG)] }] as never,
  });
  const { turn } = await synthesis.log.line("turn.ordered");
  let path = "";
  await eventually(async () => expect((path = (await receivedBy(synthesis))[0] ?? "")).not.toBe(""));
  api.next(
    reply.toolUse({ name: "Read", input: { file_path: path } }),
    reply.toolUse({ name: "mcp__plugin_synthesis_bridge__reply", input: { text: "A pixel." } }),
    reply.text("I have replied."),
  );
  const attributes = `message_id="${String(turn)}" file_path="${path}"`;
  terminal.press(`<channel source="plugin:synthesis:bridge" ${attributes}>what is it?</channel>`);
  await terminal.shows("what is it?</channel>");
  terminal.press("\r");
  expect(await answer).toMatchObject({ status: 200, content: "A pixel." });
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain(PNG.toString("base64"));
  await lease.disposeAsync();
  await eventually(async () => expect(await receivedBy(synthesis)).toEqual([]));
});
