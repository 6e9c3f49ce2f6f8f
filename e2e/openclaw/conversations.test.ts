import { reply } from "@synthesis/testkit";
import { expect } from "vitest";
import { sessionsOf, test } from "./support/openclaw-test.ts";
import { said } from "./support/said.ts";

test("a chat of several turns is one warm Claude that remembers, and each prompt reaches it once", async ({
  rig: { openclaw, synthesis, api },
}) => {
  const before = api.conversations.length;
  const pids = new Set<number>();
  for (const number of ["one", "two", "three"]) {
    api.next(reply.text(`answer ${number}`));
    expect(await openclaw.say(`hello ${number}`, { chat: "several" })).toBe(`answer ${number}`);
    for (const { pid } of synthesis.agents("alpha")) pids.add(pid);
  }
  const requests = api.conversations.slice(before);
  expect(requests).toHaveLength(3);
  expect(pids.size).toBe(1);
  expect(said(requests[2])).toEqual(["hello one", "answer one", "hello two", "answer two", "hello three"]);
  // What OpenClaw adds for itself is no part of what the person said.
  const messages = JSON.stringify(requests.map(({ body }) => body.messages));
  expect(messages).not.toMatch(/OPENCLAW_INTERNAL_CONTEXT|Runtime: agent=/);
});

test("two agents of OpenClaw are two agents of Synthesis, each in its own folder", async ({
  rig: { openclaw, synthesis, api },
}) => {
  for (const [agent, workspace] of [
    ["main", "alpha"],
    ["ops", "beta"],
  ] as const) {
    api.next(reply.text(`I am in ${workspace}`), reply.text("nothing else"));
    const chat = { agent, chat: "agents" };
    expect(await openclaw.say(`where is ${agent}?`, chat)).toBe(`I am in ${workspace}`);
    expect(await openclaw.say("what did I say?", chat)).toBe("nothing else");
    const request = api.conversations.at(-1);
    expect(said(request)).toEqual([`where is ${agent}?`, `I am in ${workspace}`, "what did I say?"]);
    expect(JSON.stringify(request?.body)).toContain(synthesis.folder.join(workspace));
  }
  expect(synthesis.agents("beta")).toHaveLength(1);
});

test("two chats that are answered at the same time do not cross", async ({ rig: { openclaw, api } }) => {
  const gates = new Map(["left", "right"].map((chat) => [chat, reply.gated()]));
  api.script(({ userText }) => {
    const side = userText.includes("left") ? "left" : "right";
    return userText.includes("begin") ? gates.get(side)!.reply : reply.text(`${side} again`);
  });
  const begun = [...gates.keys()].map((chat) => openclaw.say(`begin ${chat}`, { chat }));
  for (const gate of gates.values()) await gate.opened;
  for (const [chat, gate] of [...gates].toReversed()) {
    gate.push(`${chat} begun`);
    gate.end();
  }
  expect(await Promise.all(begun)).toEqual(["left begun", "right begun"]);
  const chats = [...gates.keys()];
  const more = await Promise.all(chats.map((chat) => openclaw.say(`more ${chat}`, { chat })));
  expect(more).toEqual(["left again", "right again"]);
  for (const chat of chats) {
    const last = api.conversations.findLast(({ userText }) => userText.includes(`more ${chat}`));
    expect(said(last)).toEqual([`begin ${chat}`, `${chat} begun`, `more ${chat}`]);
  }
});

const agents = [
  { agent: "main", clue: "its Runtime line" },
  { agent: "ops", clue: "its affinity headers" },
];

test.for(agents)(
  "/new begins anew, and the terminal is in the same chat, by $clue",
  async ({ agent }, { rig: { openclaw, api } }) => {
    const chat = { agent, chat: "renewed" };
    api.next(reply.text("noted"), reply.text("it is mellon"));
    await openclaw.say("the secret word is mellon", chat);
    expect(await openclaw.sayAtTerminal("what is the secret word?", chat)).toBe("it is mellon");
    expect(said(api.conversations.at(-1))).toEqual([
      "the secret word is mellon",
      "noted",
      "what is the secret word?",
    ]);
    const before = api.conversations.length;
    await openclaw.sayAtTerminal("/new", chat);
    expect(api.conversations).toHaveLength(before);
    api.next(reply.text("I do not know"), reply.text("hello"));
    await openclaw.say("do you remember the word?", chat);
    await openclaw.say("hello again", chat);
    expect(api.conversations.slice(before).map(said)).toEqual([
      ["do you remember the word?"],
      ["do you remember the word?", "I do not know", "hello again"],
    ]);
  },
);

test.for(agents)(
  "what is asked to compact a chat makes no session and enters none, by $clue",
  async ({ agent }, { rig }) => {
    const { openclaw, api } = rig;
    const chat = { agent, chat: "compacted" };
    const filler = " and so on".repeat(300);
    api.script(({ userText }) =>
      reply.text(userText.includes("<conversation>") ? "The secret word is mellon." : `noted${filler}`),
    );
    for (const text of ["the secret word is mellon", "one", "two", "three"])
      await openclaw.say(`${text}${filler}`, chat);
    const before = { sessions: await sessionsOf(rig), requests: api.conversations.length };
    await openclaw.compact(chat);
    expect(api.conversations.length).toBeGreaterThan(before.requests);
    expect(await sessionsOf(rig)).toEqual(before.sessions);
    for (const text of ["is it known?", "still?"]) {
      api.next(reply.text("it is mellon"));
      expect(await openclaw.say(text, chat)).toBe("it is mellon");
      const request = api.conversations.at(-1);
      const known = JSON.stringify(request?.body.messages);
      expect(known).toContain("mellon");
      expect(known).not.toContain("Produce a compact, factual summary");
      expect(said(request).at(-1)).toMatch(new RegExp(`(^|\\n)(\\[.+\\] )?${text.replace("?", "\\?")}$`));
    }
  },
);
