import { writeFile } from "node:fs/promises";
import { reply } from "@synthesis/testkit";
import { expect } from "vitest";
import { test } from "./support/openclaw-test.ts";
import { said } from "./support/said.ts";

test("OpenClaw's own tool is called by Claude and runs in OpenClaw; its result goes on in the same process", async ({
  rig: { openclaw, synthesis, api },
}) => {
  await writeFile(openclaw.folder.join("main", "note.txt"), "the secret word is mellon\n");
  const before = api.conversations.length;
  api.script(({ body }) => {
    if (JSON.stringify(body.messages).includes("tool_result")) return reply.text("It says mellon.");
    const name = body.tools?.find((tool) => tool.name.endsWith("__read"))?.name ?? "no tool of OpenClaw";
    return reply.toolUse({ name, input: { path: "note.txt" } }, { text: "I will look." });
  });
  const answer = await openclaw.say("what does the note say?", { chat: "tools" });
  expect(answer).toContain("It says mellon.");
  const [agent] = synthesis.agents("alpha");
  const requests = api.conversations.slice(before);
  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[1]?.body.messages).includes("the secret word is mellon")).toBe(true);
  expect(said(requests[1]).filter((text) => text.includes("what does the note say?"))).toHaveLength(1);
  api.next(reply.text("mellon"));
  await openclaw.say("and the word is?", { chat: "tools" });
  expect(said(api.conversations.at(-1)).at(-1)).toBe("and the word is?");
  expect(synthesis.agents("alpha")).toEqual([agent]);
});

test("a turn that the person stops is cancelled at Claude, and the chat goes on in the same process", async ({
  rig: { openclaw, synthesis, api },
}) => {
  const chat = { agent: "ops", chat: "stopped" };
  api.next(reply.text("noted"));
  await openclaw.say("the secret word is mellon", chat);
  const agents = synthesis.agents("beta");
  const gate = reply.gated();
  api.next(gate.reply);
  const arrived = api.nextRequest();
  const stream = await openclaw.open("tell me a long story", chat);
  const request = await arrived;
  gate.push("Once upon a time");
  await stream.until("Once upon a time");
  stream.leave();
  await request.aborted;
  for (const text of ["what is the word?", "and again?"]) {
    api.next(reply.text(`${text} mellon`));
    expect(await openclaw.say(text, chat)).toBe(`${text} mellon`);
    const history = said(api.conversations.at(-1));
    expect(history[0]).toBe("the secret word is mellon");
    expect(history.at(-1)?.endsWith(text)).toBe(true);
  }
  expect(synthesis.agents("beta")).toEqual(agents);
});

test("of an API that is down for a moment the person sees nothing", async ({ rig: { openclaw, api } }) => {
  const before = api.conversations.length;
  api.next(reply.status(500), reply.text("up again"));
  expect(await openclaw.say("are you there?", { chat: "down" })).toBe("up again");
  expect(api.conversations).toHaveLength(before + 2);
  api.next(reply.text("still"));
  await openclaw.say("still there?", { chat: "down" });
  expect(said(api.conversations.at(-1)).at(-1)).toBe("still there?");
});

test("a turn that broke off after its first words is not run again, however often OpenClaw retries it", async ({
  rig: { openclaw, synthesis, api },
}) => {
  const chat = { agent: "ops", chat: "broken" };
  const others = new Set(synthesis.agents("beta").map(({ pid }) => pid));
  const before = api.conversations.length;
  const gate = reply.gated();
  api.next(gate.reply);
  const stream = await openclaw.open("deploy it", chat);
  await gate.opened;
  gate.push("I have deployed");
  await stream.until("I have deployed");
  const broken = synthesis.agents("beta").find(({ pid }) => !others.has(pid));
  await synthesis.crash(broken!.pid);
  await stream.end();
  expect(api.conversations).toHaveLength(before + 1);
  api.next(reply.text("it was deployed"));
  expect(await openclaw.say("what happened?", chat)).toBe("it was deployed");
  expect(said(api.conversations.at(-1)).at(-1)).toMatch(/what happened\?$/);
});
