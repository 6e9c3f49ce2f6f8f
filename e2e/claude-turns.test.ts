import { readFile, writeFile } from "node:fs/promises";
import { eventually, expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;

test("an answer is streamed as it comes, with its role first and a finish reason last", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const stream = await openStream(synthesis, { ...inSession, say: "hi" });
  gate.push("the first words");
  await stream.until("the first words");
  expect((await synthesis.health()).turns).toBe(1);
  gate.push(", the last words");
  gate.end();
  await stream.end();
  expect(stream).toMatchObject({
    content: "the first words, the last words",
    finishReason: "stop",
    isDone: true,
    error: undefined,
  });
  expect(stream.headers.get("content-type")).toContain("text/event-stream");
});

test("a client that leaves interrupts Claude, and the session's next turn goes on at once", async () => {
  // No deadline frees it within the test's time.
  await using running = await WithClaude.start({ limits: { vanishedMs: 60_000, interruptMs: 60_000 } });
  const { api, synthesis } = running;
  await ask(synthesis, { ...inSession, say: "first" });
  const gate = reply.gated();
  api.next(gate.reply);
  const arrived = api.nextRequest();
  const stream = await openStream(synthesis, { ...inSession, say: "second" });
  const request = await arrived;
  gate.push("half an answer");
  await stream.until("half an answer");
  stream.leave();
  const next = await ask(synthesis, { ...inSession, say: "third" });
  expect(next.content).toBe("standin says: third");
  await request.aborted;
  const history = api.conversations.at(-1)?.history.map(({ text }) => text);
  expect(history?.slice(0, 4)).toEqual(["first", "standin says: first", "second", "half an answer"]);
  expect(history?.at(-1)).toContain("third");
  expect(synthesis.agents("alpha")).toHaveLength(1);
});

test("a client that leaves a turn that waits in the queue takes it out, and it never runs", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const first = await openStream(synthesis, { ...inSession, say: "first" });
  await gate.opened;
  const waiting = await openStream(synthesis, { ...inSession, say: "never mind" });
  expect(waiting.headers.get("x-synthesis-queue-position")).toBe("1");
  await synthesis.healthy({ turns: 1, waiting: 1 });
  waiting.leave();
  await synthesis.healthy({ turns: 1, waiting: 0 });
  gate.end();
  await first.end();
  await ask(synthesis, { ...inSession, say: "last" });
  expect(JSON.stringify(api.conversations.map(({ body }) => body.messages))).not.toContain("never mind");
});

test("a client that leaves and said that its turn may go on lets it finish", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  for (const headers of [{ "x-synthesis-on-disconnect": "continue" }, { "idempotency-key": "k-1" }]) {
    const gate = reply.gated();
    api.next(gate.reply);
    const stream = await openStream(synthesis, { ...inSession, say: "first", headers });
    gate.push("half");
    await stream.until("half");
    stream.leave();
    const next = ask(synthesis, { ...inSession, say: "second" });
    await synthesis.healthy({ turns: 1, waiting: 1 });
    gate.push(" and half");
    gate.end();
    expect(await next).toMatchObject({ content: "standin says: second" });
    const history = api.conversations.at(-1)?.history.map(({ text }) => text);
    expect(history?.slice(-3)).toEqual(["first", "half and half", "second"]);
  }
});

test("a tool's name is reasoning, the text around it the answer; what the permission mode denies is not done", async () => {
  await using running = await WithClaude.start({
    agents: {
      writer: { workspace: "alpha", permissionMode: "acceptEdits" },
      reader: { workspace: "alpha", permissionMode: "dontAsk" },
    },
  });
  const { api, synthesis } = running;
  const file = synthesis.folder.join("alpha", "note.txt");
  await writeFile(file, "the secret word is mellon\n");
  api.next(
    reply.toolUse({ name: "Read", input: { file_path: file } }, { text: "I will look." }),
    reply.text("It says mellon."),
  );
  const stream = await streamed(synthesis, { ...inSession, say: "what is the word?" });
  expect(stream).toMatchObject({ content: "I will look.\n\nIt says mellon.", isDone: true });
  expect(stream.reasoning).toContain("[Read]");
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain("the secret word is mellon");

  const made = synthesis.folder.join("alpha", "made.txt");
  const write = reply.toolUse({ name: "Write", input: { file_path: made, content: "made by Claude" } });
  api.next(write, reply.text("I may not."));
  const denied = await streamed(synthesis, { model: "reader", say: "write" });
  expect(denied.reasoning).toContain("permission denied");
  await expect(readFile(made, "utf8")).rejects.toThrow("ENOENT");
  api.next(write, reply.text("Done."));
  const allowed = await streamed(synthesis, { model: "writer", say: "write" });
  expect(allowed.content).toBe("Done.");
  await eventually(async () => expect(await readFile(made, "utf8")).toBe("made by Claude"));
});
