import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { eventually, expectClean, reply, type ScriptedReply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { openAsk, openAsks, settle } from "./support/asks.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const elicitingServer = fileURLToPath(new URL("support/eliciting-server.ts", import.meta.url));
const plan = reply.toolUse({ name: "ExitPlanMode", input: {} });
const touch = reply.toolUse({ name: "Bash", input: { command: "touch made", description: "a command" } });
const agents = {
  planner: { workspace: "alpha", permissionMode: "plan" },
  "chat-planner": { workspace: "alpha", permissionMode: "plan", asks: { mode: "chat" } },
  host: { workspace: "alpha", asks: { allow: ["mcp__hotel"] } },
  "chat-host": { workspace: "alpha", asks: { mode: "chat", allow: ["mcp__hotel"] } },
};

const exists = ({ folder }: Synthesis, name: string) => existsSync(folder.join("alpha", name));
/** What Claude told its model last. */
const lastTold = ({ api }: WithClaude) => JSON.stringify(api.conversations.at(-1)?.body.messages?.at(-1));
const say = ({ synthesis }: WithClaude, model: string, words: string) =>
  openStream(synthesis, { model, session: "one", say: words });

/** A model that writes its plan into the file that Claude Code names, hands it in, and then goes on with `rest`. */
function plans({ api }: WithClaude, ...rest: readonly ScriptedReply[]): void {
  api.script(({ body }) => {
    const [, path = ""] = /(\/[^" ]*\/plans\/[^" ]*?\.md)/.exec(JSON.stringify(body.messages)) ?? [];
    api.next(plan, ...rest);
    const content = "# Make it\n\n1. Make the file `made`.\n2. Look at it.\n";
    return reply.toolUse({ name: "Write", input: { file_path: path, content } });
  });
}

const IN_WORDS = `**planner asks: shall it go on with its plan?**
> \`\`\`
> plan:
>   # Make it
>   
>   1. Make the file \`made\`.
>   2. Look at it.
> planFilePath: `;

test("a plan is approved in the chat; that approves the plan, and no tool of it", async () => {
  await using running = await WithClaude.start({ agents });
  const { synthesis } = running;
  plans(running, touch, reply.text("That is it."));
  const stream = await say(running, "planner", "plan it");
  await stream.until("`no` with a reason");
  expect(stream.content).toContain(IN_WORDS);
  expect(await openAsk(synthesis)).toMatchObject({ kind: "plan", tool: "ExitPlanMode", always: [] });
  const yes = await say(running, "planner", "always");
  await stream.until("may it use Bash?");
  expect(exists(synthesis, "made")).toBe(false);
  const { id } = await openAsk(synthesis);
  await settle(synthesis, id, { behavior: "allow" });
  await Promise.all([stream.end(), yes.end()]);
  expect([stream.isDone, yes.isDone, exists(synthesis, "made")]).toEqual([true, true, true]);
});

test("a plan is refused over the API, with a reason that Claude hears, and it may plan again", async () => {
  await using running = await WithClaude.start({ agents });
  const { synthesis } = running;
  plans(running, plan, reply.text("That is it."));
  const stream = await say(running, "planner", "plan it");
  const first = await openAsk(synthesis);
  const refused = await settle(synthesis, first.id, { behavior: "deny", message: "too much work" });
  expect(refused).toMatchObject({ status: 200, body: { behavior: "deny", by: "api" } });
  await eventually(async () => expect((await openAsk(synthesis)).id).not.toBe(first.id));
  expect(lastTold(running)).toContain("too much work");
  const second = await openAsk(synthesis);
  expect((await settle(synthesis, second.id, { behavior: "allow" })).status).toBe(200);
  await stream.end();
  expect(stream).toMatchObject({ isDone: true, finishReason: "stop" });
});

test("a plan ends the answer, and the chat's next message decides on it", async () => {
  await using running = await WithClaude.start({ agents });
  plans(running, reply.text("That is it."));
  const first = await (await say(running, "chat-planner", "plan it")).end();
  expect(first).toMatchObject({ isDone: true, finishReason: "stop" });
  expect(first.content).toContain("2. Look at it.");
  const rest = await (await say(running, "chat-planner", "yes")).end();
  expect(rest).toMatchObject({ isDone: true, content: "That is it." });
});

/** A Claude that books a room, whose hotel wants to know more. */
async function booking(): Promise<WithClaude> {
  await using stack = new AsyncDisposableStack();
  const running = stack.use(await WithClaude.start({ agents }));
  const folder = running.synthesis.folder.join("alpha");
  const mcpServers = { hotel: { command: process.execPath, args: [elicitingServer] } };
  await mkdir(`${folder}/.claude`);
  await writeFile(`${folder}/.mcp.json`, JSON.stringify({ mcpServers }));
  await writeFile(`${folder}/.claude/settings.json`, JSON.stringify({ enableAllProjectMcpServers: true }));
  running.api.next(reply.toolUse({ name: "mcp__hotel__book", input: {} }), reply.text("Booked."));
  stack.move();
  return running;
}

const TOLD = String.raw`told: {\"action\":\"accept\",\"content\":{\"name\":\"Ann\",\"day\":\"Saturday\",\"nights\":2}}`;

test("what the server of a tool wants to know is asked, and answered in the chat, a line for each field", async () => {
  await using running = await booking();
  const stream = await say(running, "host", "book it");
  await stream.until("or say `no`");
  expect(stream.content).toContain("> hotel: For whom, and when?\n> name: of the guest\n> day\n> 1. Friday");
  const answer = await say(running, "host", "Ann\nsaturday\n2");
  await Promise.all([stream.end(), answer.end()]);
  expect(answer.content.trim()).toBe("Booked.");
  expect(lastTold(running)).toContain(TOLD);
});

test("it ends the answer too, where the next message is the answer", async () => {
  await using running = await booking();
  const first = await (await say(running, "chat-host", "book it")).end();
  expect(first).toMatchObject({ isDone: true, finishReason: "stop" });
  const rest = await (await say(running, "chat-host", "Ann\n2\n2")).end();
  expect([rest.content, lastTold(running)]).toEqual(["Booked.", expect.stringContaining(TOLD)]);
});

test("it is answered over the API by field, and declined", async () => {
  await using running = await booking();
  const { api, synthesis } = running;
  const stream = await say(running, "host", "book it");
  const ask = await openAsk(synthesis);
  expect(ask).toMatchObject({ kind: "input", tool: "hotel", title: "hotel: For whom, and when?" });
  expect((await settle(synthesis, ask.id, { behavior: "allow" })).status).toBe(400);
  const answers = { "name: of the guest": "Ann", day: "Saturday", nights: "2" };
  expect((await settle(synthesis, ask.id, { behavior: "allow", answers })).status).toBe(200);
  await stream.end();
  expect(lastTold(running)).toContain(TOLD);
  api.next(reply.toolUse({ name: "mcp__hotel__book", input: {} }), reply.text("Not then."));
  const again = await say(running, "host", "once more");
  await settle(synthesis, (await openAsk(synthesis)).id, { behavior: "deny" });
  await again.end();
  expect(lastTold(running)).toContain(String.raw`told: {\"action\":\"decline\"}`);
  expect([again.isDone, await openAsks(synthesis)]).toEqual([true, []]);
});
