import type { IncomingHttpHeaders } from "node:http";
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import {
  header,
  identify,
  mayAppend,
  ownScope,
  sessionId,
  transcriptScope,
  type IdentityClues,
} from "../../src/identity/session-identity.ts";
import { user } from "../support/messages.ts";

interface Clue {
  readonly headers?: IncomingHttpHeaders;
  readonly names?: Partial<IdentityClues["turnRequest"]["names"]>;
  readonly user?: string;
  readonly caller?: string;
  readonly agent?: string;
  readonly history?: IdentityClues["history"];
  readonly convention?: Partial<IdentityClues["convention"]>;
}

function clues({
  headers = {},
  names = {},
  agent = "main",
  caller = "default",
  ...more
}: Clue): IdentityClues {
  return {
    headers,
    turnRequest: { names, user: more.user, messages: [user("hi")] },
    caller: { name: caller, client: "generic" },
    agent: { name: agent, workspace: "home", model: undefined },
    history: more.history ?? "auto",
    convention: { isSideRequest: false, ...more.convention },
  };
}

const turn = randomUUID();

/** Every rule alone, the strongest first, and what it gives. */
const rules: readonly (readonly [rule: string, gives: object, clue: Clue])[] = [
  ["stateless", {}, { history: "stateless", names: { previousTurn: undefined } }],
  ["side-request", {}, { convention: { isSideRequest: true } }],
  ["previous-turn", { turn }, { names: { previousTurn: turn } }],
  [
    "openclaw-session-key",
    { key: "agent:main:tg:7" },
    { headers: { "x-openclaw-session-key": "agent:main:tg:7" } },
  ],
  ["openclaw-chat-id", { key: "main::-100" }, { headers: { "x-openclaw-chat-id": "-100" } }],
  ["session-affinity", { key: "a:0" }, { headers: { "x-session-affinity": "a:0" } }],
  ["session-affinity", { key: "b:1" }, { headers: { session_id: "b:1" } }],
  ["prompt-cache-key", { key: "k" }, { names: { promptCacheKey: "k" } }],
  ["conversation", { key: "c" }, { names: { conversation: "c" } }],
  ["metadata-session-id", { key: "m" }, { names: { metadataSession: "m" } }],
  ["openclaw-runtime", { key: "agent:main:main" }, { convention: { session: "agent:main:main" } }],
  ["openclaw-agent-id", { key: "ops" }, { headers: { "x-openclaw-agent-id": "ops" } }],
  ["transcript", {}, {}],
];

test.for(rules)("the rule %s gives %o", ([rule, gives, clue]) => {
  expect(identify(clues(clue))).toEqual({ rule, ...gives });
});

test("an earlier rule wins over every later one", () => {
  for (const [index, [rule, gives]] of rules.entries()) {
    const merged = rules.slice(index).reduceRight<Clue>(
      (weaker, [, , clue]) => ({
        ...weaker,
        ...clue,
        headers: { ...weaker.headers, ...clue.headers },
        names: { ...weaker.names, ...clue.names },
        convention: { ...weaker.convention, ...clue.convention },
      }),
      {},
    );
    // With the agent's header there too, a chat id is one of that agent.
    const expected = rule === "openclaw-chat-id" ? { key: "ops::-100" } : gives;
    expect(identify(clues(merged))).toEqual({ rule, ...expected });
  }
});

test("a stateless request goes on from no turn", () => {
  expect(() => identify(clues({ history: "stateless", names: { previousTurn: turn } }))).toThrow(
    "previous_response_id: a stateless request goes on from nothing",
  );
});

test("a side request whose history the client names is a request like any other", () => {
  const convention = { isSideRequest: true };
  for (const history of ["append", "full"] as const)
    expect(identify(clues({ history, convention }))).toEqual({ rule: "transcript" });
});

test.for<[Clue]>([
  [{ headers: { "x-openclaw-session-key": "" } }],
  [{ names: { promptCacheKey: "", conversation: "", metadataSession: "" } }],
  [{ user: "alice" }],
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
    expect(() => identify(clues({ names: { conversation: key } }))).toThrow(
      "the session key (conversation) must have",
    );
  },
);

test("the same key with another caller or agent is another session id", () => {
  const base = sessionId(clues({}), "conversation", "k");
  expect(base).toMatch(/^ses_[0-9a-f]{24}$/);
  expect(sessionId(clues({ headers: { "x-any": "thing" }, user: "u" }), "conversation", "k")).toBe(base);
  const others = [
    sessionId(clues({ caller: "claw" }), "conversation", "k"),
    sessionId(clues({ agent: "ops" }), "conversation", "k"),
    sessionId(clues({}), "conversation", "k2"),
    sessionId(clues({ caller: 'default","main', agent: "k" }), "conversation", ""),
  ];
  expect(new Set([base, ...others]).size).toBe(5);
});

test("transcripts are compared within one caller, user and agent, and never with those of keys", () => {
  const scopes = [{}, { caller: "claw" }, { user: "alice" }, { agent: "ops" }];
  const all = [...scopes.map((clue) => transcriptScope(clues(clue))), ownScope("ses_a"), ownScope("ses_b")];
  expect(new Set(all).size).toBe(6);
});

test("what is new may come alone under the seed's headers and of a conversation, from no other and not from OpenClaw", () => {
  const seed = ["openclaw-session-key", "openclaw-chat-id", "openclaw-agent-id", "conversation"] as const;
  for (const rule of seed) expect(mayAppend(rule, clues({}))).toBe(true);
  const others = ["session-affinity", "prompt-cache-key", "metadata-session-id", "openclaw-runtime"] as const;
  for (const rule of others) expect(mayAppend(rule, clues({}))).toBe(false);
  const affinity = clues({ headers: { "x-session-affinity": "a" } });
  const openclaw = clues({ convention: { session: "agent:main:main" } });
  for (const clue of [affinity, openclaw]) expect(mayAppend("openclaw-session-key", clue)).toBe(false);
});

test("a header in UTF-8, which Node reads as Latin-1, is read as UTF-8", () => {
  const wire = Buffer.from("Größe 東京", "utf8").toString("latin1");
  expect(header({ "x-openclaw-chat-id": wire }, "x-openclaw-chat-id")).toBe("Größe 東京");
  expect(header({}, "x-openclaw-chat-id")).toBeUndefined();
});
