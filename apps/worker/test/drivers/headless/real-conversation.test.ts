import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { expectClean, reply, type MessagesStandIn, type RecordedRequest } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { startReal } from "./real-claude.ts";

expectClean();

const timeout = 60_000;
const f1 = { name: "f1", parameters: { type: "object" } };
/** A valid PNG of one pixel. */
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const systemOf = (request: RecordedRequest | undefined) => JSON.stringify(request?.body.system ?? "");
const lastOf = (api: MessagesStandIn) => api.conversations.at(-1)!;
const effortOf = (request: RecordedRequest) => JSON.stringify(request.body["output_config"]);
const historyOf = (request: RecordedRequest) => request.history.map(({ text }) => text);

test.for([
  { policy: "append", system: [true, true], told: true },
  { policy: "replace", system: [true, false], told: true },
  { policy: "ignore", system: [false, true], told: false },
] as const)(
  "$policy: a conversation begins with the client's instructions, and is told others with the prompt",
  { timeout },
  async ({ policy, system, told }) => {
    await using real = await startReal({ instructions: policy });
    const { api, rig } = real;
    const long = `MIND ${"your step ".repeat(30_000)}`; // too long for an argument
    await rig.run("hello", { instructions: long }).end;
    expect([systemOf(lastOf(api)).includes("MIND your"), systemOf(lastOf(api)).includes("git")]).toEqual(
      system,
    );
    expect(lastOf(api).userText).toBe("hello");
    await rig.run("again").end;
    expect(lastOf(api).userText).toBe("again");
    const others = rig.run("now", { instructions: "KEEP LEFT" });
    await others.end;
    const note = "The instructions of the client are now:\n\nKEEP LEFT\nnow";
    expect(lastOf(api).userText).toBe(told ? note : "now");
    await rig.kill();
    rig.open({ launch: { instructions: "KEEP RIGHT" } });
    await rig.run("on", { instructions: "KEEP RIGHT" }).end;
    expect(systemOf(lastOf(api)).includes("MIND your")).toBe(told);
    expect(systemOf(lastOf(api))).not.toContain("KEEP RIGHT");
    expect(lastOf(api).userText.includes("KEEP RIGHT")).toBe(told);
  },
);

test("effort is that of one turn", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  for (const effort of [undefined, "max", "low", undefined] as const) await rig.run("hi", { effort }).end;
  expect(api.conversations.map(effortOf)).toEqual([
    '{"effort":"medium"}',
    '{"effort":"max"}',
    '{"effort":"low"}',
    '{"effort":"medium"}',
  ]);
});

test(
  "a conversation branches off where a turn ended, with its tools and results; the other is untouched",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    const bash = { name: "Bash", input: { command: "echo mine", description: "x" } };
    await rig.run("one").end;
    api.next(reply.toolUse(bash), reply.text("two done"));
    await rig.run("two").end;
    const at = rig.process.anchor!;
    await rig.run("three").end;
    await rig.kill();

    const id = randomUUID();
    const branch = { from: rig.sessionId, at };
    rig.open({ claude: { id, resume: false, branch } });
    await rig.run("other").end;
    const expected = ["one", "standin says: one", "two", "two done", "other"];
    expect(historyOf(lastOf(api))).toEqual(expected);
    expect(JSON.stringify(lastOf(api).body.messages)).toContain("mine");
    await rig.kill();
    rig.open({ claude: { id, resume: true } });
    await rig.run("more").end;
    expect(historyOf(lastOf(api)).slice(0, 5)).toEqual(expected);
    await rig.kill();
    rig.open();
    await rig.run("four").end;
    expect(historyOf(lastOf(api)).slice(4)).toEqual(["three", "standin says: three", "four"]);
  },
);

test("a place that the conversation does not have is a lost conversation", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  await rig.run("one").end;
  await rig.kill();
  const branch = { from: rig.sessionId, at: randomUUID() };
  rig.open({ claude: { id: randomUUID(), resume: false, branch } });
  expect(await rig.run("two").end).toEqual({ state: "session_lost" });
  expect(api.conversations).toHaveLength(1);
});

test(
  "a session that is resumed at its last place has the client's functions as they are now",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    await rig.run("one", { tools: [f1, { ...f1, name: "f2" }] }).end;
    const resumeAt = rig.process.anchor;
    await rig.kill();
    rig.open({ claude: { resumeAt } });
    await rig.run("two", { tools: [{ ...f1, description: "another" }] }).end;
    const tools = (lastOf(api).body.tools ?? []).filter(({ name }) =>
      name.startsWith("mcp__synthesis_client__"),
    );
    expect(tools).toMatchObject([{ name: "mcp__synthesis_client__f1", description: "another" }]);
    expect(historyOf(lastOf(api))).toEqual(["one", "standin says: one", "two"]);
  },
);

test(
  "a stateless process has the instructions for a system prompt, no tools of its own, and leaves nothing",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    await writeFile(`${rig.configuration.path}/CLAUDE.md`, "PROJECT MEMORY");
    rig.open({ claude: { isStateless: true }, launch: { instructions: "NAME THE CHAT" } });
    api.next(reply.toolUse({ id: "toolu_A", name: "mcp__synthesis_client__f1", input: {} }));
    const turn = rig.run("/clear", { instructions: "NAME THE CHAT", tools: [f1] });
    expect(await turn.end).toMatchObject({ finishReason: "tool_calls" });
    const { body } = lastOf(api);
    expect(systemOf(lastOf(api))).toContain("NAME THE CHAT");
    expect(systemOf(lastOf(api)).length).toBeLessThan(1000);
    expect(lastOf(api).userText).toBe("/clear");
    expect((body.tools ?? []).map(({ name }) => name)).toContain("mcp__synthesis_client__f1");
    expect((body.tools ?? []).map(({ name }) => name)).not.toContain("Bash");
    expect(JSON.stringify(body)).not.toContain("PROJECT MEMORY");
    const { tools, ...plain } = { tools: [f1], id: "", prompt: "", model: undefined, effort: undefined };
    const next = {
      ...plain,
      tools,
      instructions: undefined,
      answerSchema: undefined,
      resumes: false,
      shown: "",
    };
    expect(rig.process.fits(next)).toBe(false);
    await rig.kill();
    expect(await rig.transcript()).toBe("");
  },
);

test("images and documents are told as such, text stays in its place", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  const text = (words: string) => ({ type: "text" as const, text: words });
  const turn = rig.run([
    text("see"),
    { type: "image", mediaType: "image/png", data: pixel },
    text(""),
    { type: "document", mediaType: "application/pdf", data: "JVBERi0=", name: "a.pdf" },
    { type: "document", mediaType: "text/markdown", data: Buffer.from("# né").toString("base64") },
    text("@/etc/hostname"),
  ]);
  expect(await turn.end).toMatchObject({ state: "completed" });
  const content = lastOf(api).body.messages?.find(({ role }) => role === "user")?.content;
  const parts = typeof content === "string" ? [] : (content ?? []);
  const kept = parts.filter(({ text: words }) => !/system-reminder|^\[Image: /.test(words ?? ""));
  expect(kept).toMatchObject([
    { type: "text", text: "see" },
    { type: "image", source: { type: "base64", media_type: "image/png" } },
    { type: "document", source: { media_type: "application/pdf", data: "JVBERi0=" }, title: "a.pdf" },
    { type: "document", source: { type: "text", media_type: "text/plain", data: "# né" } },
    { type: "text", text: expect.stringMatching(/^@\/etc\/hostname\s*$/) },
  ]);
});

test("what Claude thinks is told as the agent's policy says, and counted", { timeout }, async () => {
  const bash = { name: "Bash", input: { command: "true", description: "x" } };
  for (const [reasoning, shown] of [
    ["full", "hm[Bash]\n"],
    ["tools", "[Bash]\n"],
    ["none", ""],
  ] as const) {
    await using real = await startReal({ reasoning });
    const { api, rig } = real;
    api.next(
      reply.toolUse(bash, { thinking: "hm", usage: { outputTokens: 9, thinkingTokens: 4 } }),
      reply.text("ok"),
    );
    const turn = rig.run("think");
    expect(await turn.end).toMatchObject({ usage: { outputTokens: 14, reasoningTokens: 4 } });
    expect([turn.text, turn.reasoning]).toEqual(["ok", shown]);
  }
});
