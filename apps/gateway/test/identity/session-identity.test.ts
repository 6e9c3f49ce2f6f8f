import type { IncomingHttpHeaders } from "node:http";
import { expect, test } from "vitest";
import { header, identify, sessionId, transcriptScope } from "../../src/identity/session-identity.ts";
import type { IdentityClues } from "../../src/identity/session-identity.ts";

const runtime = "hi\n\nRuntime: agent=main | session=agent:main:main | host=h";

interface Clue {
  readonly headers?: IncomingHttpHeaders;
  readonly body?: Partial<IdentityClues["body"]>;
  readonly caller?: Partial<IdentityClues["caller"]>;
  readonly agent?: string;
}

function clues({ headers = {}, body = {}, caller = {}, agent = "main" }: Clue): IdentityClues {
  return {
    headers,
    body: { messages: [{ role: "user", content: "hi" }], ...body },
    caller: { name: "default", client: "generic", ...caller },
    agent: { name: agent, workspace: "home", model: undefined },
  };
}

/** Every rule alone, the strongest first, and the key it gives. */
const rules: readonly (readonly [rule: string, key: string | undefined, clue: Clue])[] = [
  ["openclaw-session-key", "agent:main:tg:7", { headers: { "x-openclaw-session-key": "agent:main:tg:7" } }],
  ["openclaw-chat-id", "main::-100", { headers: { "x-openclaw-chat-id": "-100" } }],
  ["session-affinity", "a:0", { headers: { "x-session-affinity": "a:0" } }],
  ["session-affinity", "b:1", { headers: { session_id: "b:1" } }],
  ["prompt-cache-key", "k", { body: { prompt_cache_key: "k" } }],
  ["conversation", "c", { body: { conversation: "c" } }],
  ["metadata-session-id", "m", { body: { metadata: { session_id: "m" } } }],
  [
    "openclaw-runtime",
    "agent:main:main",
    { body: { messages: [{ role: "user", content: runtime }] }, caller: { client: "openclaw" } },
  ],
  ["openclaw-agent-id", "ops", { headers: { "x-openclaw-agent-id": "ops" } }],
  ["transcript", undefined, {}],
];

test.for(rules)("the rule %s gives the key %s", ([rule, key, clue]) => {
  expect(identify(clues(clue))).toEqual(key === undefined ? { rule } : { rule, key });
});

test("an earlier rule wins over every later one", () => {
  for (const [index] of rules.entries()) {
    const merged = rules.slice(index).reduceRight<Clue>(
      (weaker, [, , clue]) => ({
        headers: { ...weaker.headers, ...clue.headers },
        body: { ...weaker.body, ...clue.body },
        caller: { ...weaker.caller, ...clue.caller },
      }),
      {},
    );
    // With the agent's header there too, a chat id is one of that agent.
    const expected = rules[index]![1]?.replace("main::", "ops::");
    expect(identify(clues(merged))).toMatchObject({
      rule: rules[index]![0],
      ...(expected === undefined ? {} : { key: expected }),
    });
  }
});

test("a conversation may be an object, a chat id takes the header's agent", () => {
  expect(identify(clues({ body: { conversation: { id: "c" } } }))).toMatchObject({ key: "c" });
  const headers = { "x-openclaw-chat-id": "-100", "x-openclaw-agent-id": "ops" };
  expect(identify(clues({ headers }))).toEqual({ rule: "openclaw-chat-id", key: "ops::-100" });
});

test("the Runtime line of a caller that is not OpenClaw decides nothing", () => {
  expect(identify(clues({ body: { messages: [{ role: "user", content: runtime }] } }))).toEqual({
    rule: "transcript",
  });
});

test.for<[Clue]>([
  [{ headers: { "x-openclaw-session-key": "" } }],
  [{ body: { prompt_cache_key: "" } }],
  [{ body: { prompt_cache_key: null, conversation: null, metadata: null } }],
  [{ body: { metadata: { session_id: null } } }],
  [{ body: { user: "alice" } }],
])("%j names no session", ([clue]) => {
  expect(identify(clues(clue))).toEqual({ rule: "transcript" });
});

test("the same value under two rules is two sessions, but the seed's headers are one rule", () => {
  const id = (rule: Parameters<typeof sessionId>[1]) => sessionId(clues({}), rule, "x");
  const others = [
    "session-affinity",
    "prompt-cache-key",
    "conversation",
    "metadata-session-id",
    "openclaw-runtime",
  ] as const;
  expect(new Set([id("openclaw-chat-id"), ...others.map(id)]).size).toBe(6);
  expect(id("openclaw-session-key")).toBe(id("openclaw-chat-id"));
  expect(id("openclaw-agent-id")).toBe(id("openclaw-chat-id"));
});

test.for(["a\nb", "a\u0000b", "a\u001Bb", "a\u007Fb", "a\u0085b", "x".repeat(513)])(
  "the key %j is refused",
  (key) => {
    expect(() => identify(clues({ body: { conversation: key } }))).toThrow(
      "the session key (conversation) must have",
    );
  },
);

test("the same key with another caller or agent is another session id", () => {
  const base = sessionId(clues({}), "conversation", "k");
  expect(base).toMatch(/^ses_[0-9a-f]{24}$/);
  expect(sessionId(clues({ headers: { "x-any": "thing" }, body: { user: "u" } }), "conversation", "k")).toBe(
    base,
  );
  const others = [
    sessionId(clues({ caller: { name: "claw" } }), "conversation", "k"),
    sessionId(clues({ agent: "ops" }), "conversation", "k"),
    sessionId(clues({}), "conversation", "k2"),
    sessionId(clues({ caller: { name: 'default","main' }, agent: "k" }), "conversation", ""),
  ];
  expect(new Set([base, ...others]).size).toBe(5);
});

test("transcripts are compared within one caller, user and agent", () => {
  const scopes = [{}, { caller: { name: "claw" } }, { body: { user: "alice" } }, { agent: "ops" }];
  expect(new Set(scopes.map((clue) => transcriptScope(clues(clue)))).size).toBe(4);
  expect(transcriptScope(clues({ body: { user: null } }))).toBe(transcriptScope(clues({})));
});

test("a header in UTF-8, which Node reads as Latin-1, is read as UTF-8", () => {
  const wire = Buffer.from("Größe 東京", "utf8").toString("latin1");
  expect(header({ "x-openclaw-chat-id": wire }, "x-openclaw-chat-id")).toBe("Größe 東京");
  expect(header({}, "x-openclaw-chat-id")).toBeUndefined();
});
