import { expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { Cli } from "./support/cli.ts";
import { WithClaude } from "./support/real-claude.ts";
import type { Synthesis } from "./support/synthesis.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;

async function api({ endpoint, key }: Synthesis, method: string, path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${key}` };
  return fetch(`${endpoint}/v1/synthesis/sessions${path}`, { method, headers });
}

/** The lines of an export. */
function read(lines: string): Record<string, unknown>[] {
  return lines
    .trimEnd()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
}

test("a session is listed, inspected and exported with its prompt and its answer, over HTTP and the CLI", async () => {
  await using running = await WithClaude.start();
  const { synthesis } = running;
  const { headers } = await ask(synthesis, { ...inSession, say: "the word is mellon" });
  await ask(synthesis, { model: "claude-beta", session: "two", say: "elsewhere" });
  const id = headers.get("x-synthesis-session")!;
  const [{ pid } = { pid: 0 }] = synthesis.agents("alpha");
  const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);
  const session = { id, workspace: "alpha", agent: "claude", key: "one", state: "idle", turn_count: 1, pid };
  expect(await (await api(synthesis, "GET", "")).json()).toMatchObject({
    data: [
      { workspace: "beta", key: "two" },
      { ...session, agent_session: uuid },
    ],
    unavailable: [],
  });
  const turn = headers.get("x-synthesis-turn");
  expect(await (await api(synthesis, "GET", `/${id}`)).json()).toMatchObject({
    ...session,
    turns: [{ id: turn, state: "completed" }],
  });

  const exported = await (await api(synthesis, "GET", `/${id}/export`)).text();
  const [first, second, ...transcript] = read(exported);
  expect(first).toMatchObject({ session: id, key: "one", agent_session: uuid });
  expect(second).toMatchObject({
    turn,
    state: "completed",
    answer: "standin says: the word is mellon",
  });
  const messages = transcript.map((line) => JSON.stringify(line["transcript"]));
  expect(messages.some((line) => line.includes('"the word is mellon"'))).toBe(true);
  expect(messages.some((line) => line.includes("standin says: the word is mellon"))).toBe(true);
  const cli = new Cli(
    ["sessions", "export", id, "--state-dir", synthesis.folder.join("state")],
    synthesis.folder,
  );
  expect(await cli.exit).toEqual({ code: 0, signal: null });
  expect(cli.stdout.text).toBe(exported);
});

test("a session that is ended while it runs: its client is told, its process ends, its next turn remembers nothing", async () => {
  await using running = await WithClaude.start();
  const { api: claude, synthesis } = running;
  const { headers } = await ask(synthesis, { ...inSession, say: "remember me" });
  const id = headers.get("x-synthesis-session")!;
  const before = (await (await api(synthesis, "GET", `/${id}`)).json()) as { readonly agent_session: string };
  const gate = reply.gated();
  claude.next(gate.reply);
  const stream = await openStream(synthesis, { ...inSession, say: "go on" });
  gate.push("half an answer");
  await stream.until("half an answer");
  const waiting = await openStream(synthesis, { ...inSession, say: "never asked" });

  const deleted = await api(synthesis, "DELETE", `/${id}`);
  expect(await deleted.json()).toEqual({ id, workspace: "alpha", deleted: true });
  const error = { code: "turn_cancelled", message: "the turn was cancelled: its session was ended" };
  expect((await stream.end()).error).toMatchObject(error);
  expect((await waiting.end()).error).toMatchObject(error);
  expect(synthesis.agents("alpha")).toEqual([]);
  expect((await api(synthesis, "DELETE", `/${id}`)).status).toBe(404);
  expect((await api(synthesis, "GET", `/${id}`)).status).toBe(404);

  expect(await ask(synthesis, { ...inSession, say: "who am I?" })).toMatchObject({
    content: "standin says: who am I?",
  });
  expect(claude.conversations.at(-1)?.history.map(({ text }) => text)).toEqual(["who am I?"]);
  expect(await (await api(synthesis, "GET", `/${id}`)).json()).toMatchObject({
    turn_count: 1,
    agent_session: expect.not.stringContaining(before.agent_session),
  });
});
