import { rollTranscript, type Locate } from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import { readConversation } from "../../src/identity/conversation.ts";
import { clawKey, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

const history = [
  { role: "user", content: "one" },
  { role: "assistant", content: "two" },
  { role: "user", content: "three" },
] as const;
const head = readConversation(history).hashBefore;

/** Asks, lets the worker answer, and gives what was submitted and by which rule. */
async function turn(body: object, options: Parameters<RunningGateway["chat"]>[1] = {}) {
  const asked = gateway.chat(body, options);
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer(submit, "ok");
  const response = await asked;
  await response.text();
  return { submit, rule: response.headers.get("x-synthesis-session-rule") };
}

test("a first message begins a new session, without asking the worker", async () => {
  gateway.worker.locate = () => expect.unreachable();
  const [first, second] = [await turn({ messages: [history[0]] }), await turn({ messages: [history[0]] })];
  expect([first.rule, second.rule]).toEqual(["new", "new"]);
  expect(first.submit.session.id).not.toBe(second.submit.session.id);
});

test("a history that the worker knows continues its session, with only what is new", async () => {
  const asked: Locate["by"][] = [];
  gateway.worker.locate = ({ by }) => {
    asked.push(by);
    return "ses_known";
  };
  const { submit, rule } = await turn({ messages: history });
  expect(rule).toBe("transcript");
  expect(submit).toMatchObject({ session: { id: "ses_known" }, prompt: "three", expectHead: head });
  expect(submit.transcript).toBe(rollTranscript(head, "user", "three"));
  expect(asked).toEqual([{ scope: submit.session.scope, head }]);
});

test("a history that the worker does not know begins a new session that is told it", async () => {
  const { submit, rule } = await turn({ messages: history });
  expect(rule).toBe("new");
  expect(submit.prompt).toContain('<message role="assistant">\ntwo\n</message>');
  expect(submit).not.toHaveProperty("expectHead");
  expect(submit.transcript).toBe(rollTranscript(head, "user", "three"));
});

test("a session by key that the worker knows gets only what is new, one that it does not is told the history", async () => {
  const options = { headers: { "x-session-affinity": "a:0" } };
  const unknown = await turn({ messages: history }, options);
  expect(unknown.submit.prompt).toContain("<conversation_so_far>");
  gateway.worker.locate = ({ by }) => ("session" in by ? by.session : undefined);
  const known = await turn({ messages: history }, options);
  expect(known).toMatchObject({ rule: "session-affinity", submit: { prompt: "three" } });
  expect(known.submit.session).toEqual(unknown.submit.session);
});

test.for<[title: string, options: NonNullable<Parameters<RunningGateway["chat"]>[1]>, body: object]>([
  ["a header", { headers: { "x-openclaw-session-key": "k" } }, {}],
  ["a field of the body", {}, { prompt_cache_key: "k" }],
])("a session that is named by %s has no transcript to be found by", async ([, options, body]) => {
  for (const messages of [history.slice(0, 1), history]) {
    const { submit } = await turn({ ...body, messages }, options);
    expect(submit).not.toHaveProperty("transcript");
    expect(submit).not.toHaveProperty("expectHead");
  }
});

test("of two requests that continue one transcript at once, the second is a branch of its own", async () => {
  const held: Locate[] = [];
  const { promise: bothHeld, resolve } = Promise.withResolvers<void>();
  gateway.worker.locate = (frame) => {
    if (held.push(frame) === 2) resolve();
    return "held";
  };
  const asked = [gateway.chat({ messages: history }), gateway.chat({ messages: history })];
  await bothHeld;
  gateway.worker.send(
    ...held.map(({ request }) => ({ type: "located", request, session: "ses_known" }) as const),
  );
  const submits = [await gateway.worker.next("submit"), await gateway.worker.next("submit")];
  for (const submit of submits) gateway.worker.answer(submit, "ok");
  const rules = await Promise.all(
    asked.map(async (answer) => {
      const response = await answer;
      await response.text();
      return response.headers.get("x-synthesis-session-rule");
    }),
  );
  expect(rules.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(["new", "transcript"]);
  expect(submits.filter(({ session }) => session.id === "ses_known")).toHaveLength(1);
});

test("OpenClaw's Runtime line decides for an OpenClaw key only, and never reaches the agent", async () => {
  const body = {
    messages: [{ role: "user", content: "hi\n\nRuntime: agent=main | session=agent:main:main" }],
  };
  const claw = await turn(body, { key: clawKey });
  expect(claw).toMatchObject({ rule: "openclaw-runtime", submit: { prompt: "hi" } });
  const generic = await turn(body);
  expect(generic.rule).toBe("new");
});

test("the workspace header names the workspace, and the supervisor decides about it", async () => {
  gateway.supervisor.ensure = (workspace) => ({
    code: "workspace_not_allowed",
    message: `workspace "${workspace}" may not be opened`,
  });
  const response = await gateway.chat("hi", { headers: { "x-openclaw-workspace": "/etc" } });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ error: { code: "workspace_not_allowed" } });
  expect(gateway.supervisor.asked).toEqual(["/etc"]);
});
