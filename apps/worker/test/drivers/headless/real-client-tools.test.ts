import type { ClientTool, Prompt } from "@synthesis/protocol";
import { eventually, expectClean, reply, type RecordedRequest } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { RigTurn } from "./claude-rig.ts";
import { startReal } from "./real-claude.ts";

expectClean();

const timeout = 60_000;
const toolCalls = { state: "completed", finishReason: "tool_calls" };
const stopped = { state: "completed", finishReason: "stop" };

const offer = (name: string, description = `does ${name}`): ClientTool => ({
  name,
  description,
  parameters: { type: "object", properties: { q: { type: "string" } } },
});
const f1 = offer("f1");
const f2 = offer("f2");

/** A call as the API makes it. */
const call = (id: string, name: string, input: Record<string, unknown> = { q: id }) => ({
  id,
  name: `mcp__synthesis_client__${name}`,
  input,
});
const bash = { id: "toolu_bash", name: "Bash", input: { command: "echo mine", description: "x" } };

/** What a client sends for a call that it was told of. */
function toldAsText(name: string, json: string, result: string): string {
  const made = `<function_call name="${name}">\n${json}\n</function_call>`;
  return `${made}\n<function_result name="${name}">\n${result}\n</function_result>`;
}

function resultOf(turn: RigTurn, index: number, text: string): Exclude<Prompt, string>[number] {
  const { id, name, arguments: json } = turn.calls[index]!;
  const content = [{ type: "text" as const, text }];
  return { type: "tool_result", call: id, name, arguments: json, content, isError: false };
}

/** The last messages of a request, without what Claude Code adds. */
function lastMessages({ body }: RecordedRequest, count: number): unknown[] {
  const said = (body.messages ?? []).filter(({ role }) => role !== "system").slice(-count);
  return JSON.parse(
    JSON.stringify(said, (key, value: unknown) => (key === "cache_control" ? undefined : value)),
  );
}

test(
  "parallel calls of the client's functions end the turn; their results go on in the same process",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    const json = ['{"q": "p', 'aris"}'];
    api.next(
      reply.toolUse([{ ...call("toolu_A", "f1"), json }, call("toolu_B_1", "f2")], { text: "let me look" }),
    );
    const asked = rig.run("weather?", { tools: [f1, f2] });
    expect(await asked.end).toMatchObject(toolCalls);
    expect(asked.text).toBe("let me look");
    expect(asked.reasoning).toBe("");
    expect(asked.pieces).toEqual([
      { index: 0, id: "tooluA", name: "f1", arguments: "" },
      { index: 0, arguments: '{"q": "p' },
      { index: 0, arguments: 'aris"}' },
      { index: 1, id: "tooluB1", name: "f2", arguments: "" },
      { index: 1, arguments: '{"q":"toolu_B_1"}' },
    ]);

    const { pid } = rig.process;
    const answer = rig.run([resultOf(asked, 1, "two"), resultOf(asked, 0, "one")], { tools: [f1, f2] });
    expect(await answer.end).toMatchObject(stopped);
    expect(rig.process.pid).toBe(pid);
    expect(api.conversations).toHaveLength(2);
    expect(lastMessages(api.conversations[1]!, 2)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "text", text: "let me look" },
          { type: "tool_use", id: "toolu_A", name: "mcp__synthesis_client__f1", input: { q: "paris" } },
          { type: "tool_use", id: "toolu_B_1", name: "mcp__synthesis_client__f2", input: { q: "toolu_B_1" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_A", content: [{ type: "text", text: "one" }] },
          { type: "tool_result", tool_use_id: "toolu_B_1", content: [{ type: "text", text: "two" }] },
        ],
      },
    ]);
    expect(rig.unsolicited).toBe(0);
  },
);

test(
  "a call beside one of Claude's own tools: that one runs, and both results are told",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    api.next(reply.toolUse([call("toolu_A", "f1"), bash]));
    const asked = rig.run("go", { tools: [f1] });
    expect(await asked.end).toMatchObject(toolCalls);
    expect(asked.reasoning).toBe("[Bash]\n");
    await rig.run([resultOf(asked, 0, "theirs"), { type: "text", text: "and now?" }], { tools: [f1] }).end;
    const told = JSON.stringify(lastMessages(api.conversations[1]!, 2));
    for (const part of ["mine", "theirs", "and now?"]) expect(told).toContain(part);
  },
);

test("a call without a result, or with a prompt instead, is told so", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  api.next(reply.toolUse([call("toolu_A", "f1"), call("toolu_B", "f2")]));
  const asked = rig.run("go", { tools: [f1, f2] });
  await asked.end;
  const older = { ...resultOf(asked, 0, "of an older call"), call: "another" };
  await rig.run([resultOf(asked, 1, "two"), older], { tools: [f1, f2] }).end;
  expect(lastMessages(api.conversations[1]!, 1)).toEqual([
    {
      role: "user",
      content: [
        {
          type: "tool_result",
          tool_use_id: "toolu_A",
          content: "the client gave no result",
          is_error: true,
        },
        { type: "tool_result", tool_use_id: "toolu_B", content: [{ type: "text", text: "two" }] },
        {
          type: "text",
          text: toldAsText("f1", '{"q":"toolu_A"}', "of an older call"),
        },
      ],
    },
  ]);
});

test("functions may change from turn to turn, also what one of them is", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  const { pid } = await rig.run("none").end.then(() => rig.process);
  const toolsOf = (request: RecordedRequest | undefined) =>
    (request?.body.tools ?? [])
      .map(({ name }) => name)
      .filter((name) => name.startsWith("mcp__synthesis_client__"));
  expect(toolsOf(api.conversations[0])).toEqual([]);
  api.next(reply.toolUse(call("toolu_A", "f1")));
  const first = rig.run("one", { tools: [f1] });
  expect(await first.end).toMatchObject(toolCalls);
  expect(toolsOf(api.conversations[1])).toEqual(["mcp__synthesis_client__f1"]);
  const redefined = offer("f1", "does something else");
  api.next(reply.toolUse(call("toolu_B", "f2")));
  const second = rig.run([resultOf(first, 0, "one")], { tools: [redefined, f2] });
  expect(await second.end).toMatchObject(toolCalls);
  expect(JSON.stringify(lastMessages(api.conversations[2]!, 1))).toContain("does something else");
  // Withdrawn: Claude says so to the model, which goes on without.
  api.next(reply.toolUse(call("toolu_C", "f2")), reply.text("without it then"));
  const third = rig.run([resultOf(second, 0, "two")]);
  expect(await third.end).toMatchObject(stopped);
  expect([third.text, third.calls]).toEqual(["without it then", []]);
  expect(rig.process.pid).toBe(pid);
});

test(
  "results that come after their process ended are told as text to the next one",
  { timeout },
  async () => {
    await using real = await startReal();
    const { api, rig } = real;
    api.next(reply.toolUse(call("toolu_A", "f1")));
    const asked = rig.run("go", { tools: [f1] });
    await asked.end;
    await rig.kill();
    rig.open();
    const answer = rig.run([resultOf(asked, 0, "late")], { tools: [f1] });
    expect(await answer.end).toMatchObject(stopped);
    expect(api.conversations).toHaveLength(2);
    expect(answer.text).toBe(`standin says: ${toldAsText("f1", '{"q":"toolu_A"}', "late")}`);
    expect(rig.unsolicited).toBe(0);
  },
);

test("a turn whose client has its calls is not finished by another process", { timeout }, async () => {
  await using real = await startReal();
  const { api, rig } = real;
  api.next(
    reply.toolUse([call("toolu_A", "f1"), { ...bash, input: { command: "sleep 60", description: "x" } }]),
  );
  const cut = rig.run("go", { tools: [f1] });
  await eventually(async () => expect(await rig.transcript()).toContain("sleep 60"));
  await rig.kill();
  await cut.end;
  expect(cut.calls).toHaveLength(1);
  expect(await rig.trace(cut)).toEqual({ state: "stopped" });
});

test.for([
  {
    title: "with the same call: it is told once, under its first id",
    again: call("toolu_B", "f1", { q: "paris" }),
    end: toolCalls,
    result: "toolu_B",
  },
  {
    title: "with another call: the turn fails",
    again: call("toolu_B", "f1", { q: "rome" }),
    end: { state: "failed", error: { code: "answer_diverged" } },
  },
])(
  "Claude's API breaks off within a call, and is asked again $title",
  { timeout },
  async ({ again, end, result }) => {
    await using real = await startReal();
    const { api, rig } = real;
    api.next(reply.cleanEnd([], [{ ...call("toolu_A", "f1"), json: ['{"q":"pa'] }]), reply.toolUse(again));
    const asked = rig.run("go", { tools: [f1] });
    expect(await asked.end).toMatchObject(end);
    expect(asked.calls[0]).toMatchObject({ id: "tooluA", name: "f1" });
    if (result === undefined) return;
    expect(asked.calls).toEqual([{ id: "tooluA", name: "f1", arguments: '{"q":"paris"}' }]);
    await rig.run([resultOf(asked, 0, "sunny")], { tools: [f1] }).end;
    expect(JSON.stringify(lastMessages(api.conversations.at(-1)!, 1))).toContain(result);
  },
);
