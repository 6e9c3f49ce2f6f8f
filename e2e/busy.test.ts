import { mkdir, writeFile } from "node:fs/promises";
import { expectClean, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { WithClaude } from "./support/real-claude.ts";

expectClean();

const inSession = { model: "claude", session: "one" } as const;
const busy = (policy: string) => ({ ...inSession, headers: { "x-synthesis-busy": policy } });

test("reject: a session at work refuses at once, and takes the same request when it is at rest", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const stream = await openStream(synthesis, { ...inSession, say: "first" });
  await gate.opened;
  const refused = await ask(synthesis, { ...busy("reject"), say: "second" });
  expect(refused).toMatchObject({ status: 409, error: { code: "session_busy" } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  gate.end();
  await stream.end();
  await synthesis.healthy({ turns: 0 });
  expect(await ask(synthesis, { ...busy("reject"), say: "second" })).toMatchObject({ status: 200 });
});

test("interrupt: what runs is cut and said so, and the newer message is answered before what waits", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const cut = await openStream(synthesis, { ...inSession, say: "first" });
  gate.push("half an answer");
  await cut.until("half an answer");
  const waiting = await openStream(synthesis, { ...inSession, say: "waits" });
  const newer = ask(synthesis, { ...busy("interrupt"), say: "newer" });
  await cut.end();
  expect(cut.error).toMatchObject({ code: "turn_cancelled" });
  expect(cut.error?.message).toContain("interrupted by a newer request");
  expect(await newer).toMatchObject({ status: 200, content: "standin says: newer" });
  await waiting.end();
  expect(waiting.content).toBe("standin says: waits");
  expect(synthesis.agents("alpha")).toHaveLength(1);
});

test("steer: what is said while a tool runs is taken up in the same turn, and both clients have its answer", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const settings = synthesis.folder.join("alpha", ".claude");
  await mkdir(settings);
  await writeFile(`${settings}/settings.json`, JSON.stringify({ permissions: { allow: ["Bash"] } }));
  const go = synthesis.folder.join("alpha", "go");
  const command = `until [ -e ${go} ]; do sleep 0.05; done`;
  const bash = { name: "Bash", input: { command, description: "wait" } };
  api.next(reply.toolUse(bash, { text: "I wait." }), reply.text("Blue it is."));
  const first = await openStream(synthesis, { ...inSession, say: "paint it red" });
  await first.until("I wait.");
  const steering = await openStream(synthesis, { ...busy("steer"), say: "no, blue" });
  expect(steering.headers.get("x-synthesis-steers")).toBe(first.headers.get("x-synthesis-turn"));
  await synthesis.healthy({ turns: 1, waiting: 1 });
  await writeFile(go, "");
  await Promise.all([first.end(), steering.end()]);
  expect(first).toMatchObject({ isDone: true, content: "I wait.\n\nBlue it is." });
  expect(steering).toMatchObject({ isDone: true, finishReason: "stop" });
  expect(steering.content.trim()).toBe("Blue it is.");
  expect(api.conversations).toHaveLength(2);
  expect(JSON.stringify(api.conversations[1]?.body)).toContain("no, blue");
  await synthesis.healthy({ turns: 0, waiting: 0 });
});

test("steer: what comes while the last words are said is said and answered once, on the same stream", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const first = await openStream(synthesis, { ...inSession, say: "first" });
  gate.push("the only words");
  await first.until("the only words");
  const steering = await openStream(synthesis, { ...busy("steer"), say: "too late" });
  await synthesis.healthy({ turns: 1, waiting: 1 });
  gate.end();
  await Promise.all([first.end(), steering.end()]);
  expect([first.isDone, steering.isDone]).toEqual([true, true]);
  expect(first.content).toMatch(/^the only words/);
  // As the end of the running turn, or as a turn of its own: that is Claude's choice.
  expect(steering.content.trim()).toBe("standin says: too late");
  await ask(synthesis, { ...inSession, say: "last" });
  const history = api.conversations.at(-1)?.history.map(({ text }) => text) ?? [];
  expect(history.join("\n").match(/^too late$/gm)).toHaveLength(1);
  expect(history.at(-1)).toBe("last");
  expect(api.conversations).toHaveLength(3);
});

test("steer: of two that steer, one that leaves takes nothing from the other", async () => {
  await using running = await WithClaude.start();
  const { api, synthesis } = running;
  const gate = reply.gated();
  api.next(gate.reply);
  const first = await openStream(synthesis, { ...inSession, say: "first" });
  gate.push("begun");
  await first.until("begun");
  const stays = await openStream(synthesis, { ...busy("steer"), say: "stays" });
  const leaves = await openStream(synthesis, { ...busy("steer"), say: "leaves" });
  await synthesis.healthy({ turns: 1, waiting: 2 });
  leaves.leave();
  await synthesis.healthy({ turns: 1, waiting: 1 });
  gate.end();
  await Promise.all([first.end(), stays.end()]);
  expect([first.isDone, stays.isDone]).toEqual([true, true]);
  await synthesis.healthy({ turns: 0, waiting: 0 });
  expect(JSON.stringify(api.conversations.at(-1)?.body.messages)).toContain("stays");
});
