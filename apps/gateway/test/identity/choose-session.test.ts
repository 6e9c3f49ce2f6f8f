import { EMPTY_TRANSCRIPT, type Locate, type Submit } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConversation } from "../../src/turn-request/conversation.ts";
import { readChatRequest } from "../../src/chat/read-chat-request.ts";
import { clawKey, RunningGateway, type ChatOptions } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const history = [user("one"), assistant("two"), user("three"), assistant("four"), user("five")];
const pointsOf = (messages: object[]) =>
  readConversation(readChatRequest({ messages }).turnRequest.messages).points;
const [, afterTwo, , afterFour, afterFive] = pointsOf(history);
const session = { headers: { "x-openclaw-session-key": "k" } };
const affinity = { headers: { "x-session-affinity": "a:0" } };

/** Asks, lets the worker answer, and gives what was submitted and by which rule. */
async function turn(body: object, options: ChatOptions = {}) {
  const asked = gateway.chat(body, options);
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer(submit, "ok");
  const response = await asked;
  await response.text();
  return { submit, rule: response.headers.get("x-synthesis-session-rule") };
}

/** The worker knows the session that is meant, and that it has this point; what it was asked. */
function know(point?: string, isHead = true): Locate["by"][] {
  const asked: Locate["by"][] = [];
  gateway.worker.locate = ({ by }) => {
    asked.push(by);
    return { session: "session" in by ? by.session : "ses_known", ...(point && { point, isHead }) };
  };
  return asked;
}

test("a first message begins a new session, without asking the worker", async () => {
  gateway.worker.locate = () => expect.unreachable();
  const messages = history.slice(0, 1);
  const [first, second] = [await turn({ messages }), await turn({ messages })];
  expect([first.rule, second.rule]).toEqual(["new", "new"]);
  expect(first.submit.session.id).not.toBe(second.submit.session.id);
});

test("a history that ends where a session does continues it, with only what is new", async () => {
  const asked = know(afterFour);
  const { submit, rule } = await turn({ messages: history });
  expect(rule).toBe("transcript");
  expect(submit).toMatchObject({
    session: { id: "ses_known" },
    prompt: "five",
    needsMemory: true,
    follows: afterFour,
    transcript: afterFive,
  });
  const points = pointsOf(history).slice(0, -1).toReversed();
  expect(asked).toEqual([{ scope: submit.session.scope, points }]);
});

test("a history that leaves a session's earlier is a new session that branches off there", async () => {
  know(afterTwo, false);
  const edited = [...history.slice(0, 2), user("other")];
  const { submit, rule } = await turn({ messages: edited });
  expect(rule).toBe("transcript");
  expect(submit).toMatchObject({
    prompt: "other",
    follows: afterTwo,
    branchOf: "ses_known",
    needsMemory: true,
  });
  expect(submit.session.id).not.toBe("ses_known");
});

test("a branch whose origin has gone on otherwise is told what came before", async () => {
  know(afterTwo, false);
  const asked = gateway.chat({ messages: history });
  const first = await gateway.worker.next("submit");
  const error = { code: "history_changed", message: "gone" } as const;
  gateway.worker.send({ type: "refused", turn: first.turn, error });
  const second = await gateway.worker.next("submit");
  expect(second).toMatchObject({ session: first.session, needsMemory: false });
  expect(second.prompt).toContain("<conversation_so_far>");
  for (const field of ["follows", "branchOf"]) expect(second).not.toHaveProperty(field);
  gateway.worker.answer(second, "A");
  await (await asked).text();
});

test("a session that was found by its end and is not there any more is nobody's to begin anew", async () => {
  know(afterFour);
  const asked = gateway.chat({ messages: history });
  const { turn: id } = await gateway.worker.next("submit");
  const error = { code: "history_changed", message: "gone", retryAfterMs: 1_000 } as const;
  gateway.worker.send({ type: "refused", turn: id, error });
  expect((await asked).status).toBe(409);
  await (await asked).text();
  expect(gateway.worker.unread("submit")).toBe(0);
});

test("a history that the worker does not know begins a new session that is told it", async () => {
  const { submit, rule } = await turn({ messages: history });
  expect(rule).toBe("new");
  expect(submit.prompt).toContain('<message role="assistant">\nfour\n</message>');
  expect(submit).toMatchObject({ needsMemory: false, transcript: afterFive });
  expect(submit).not.toHaveProperty("follows");
});

test("a session with a key is asked for when its turn has come: it goes on, branches off, or begins anew", async () => {
  const unknown = await turn({ messages: history }, affinity);
  expect(unknown).toMatchObject({
    rule: "session-affinity",
    submit: { needsMemory: false, transcript: afterFive },
  });
  expect(unknown.submit.prompt).toContain("<conversation_so_far>");
  const { id } = unknown.submit.session;
  const asked = know(afterFour);
  const known = await turn({ messages: history }, affinity);
  expect(known.submit).toMatchObject({ session: unknown.submit.session, prompt: "five", follows: afterFour });
  expect(asked).toEqual([{ session: id, points: pointsOf(history).slice(0, -1).toReversed() }]);
  know(afterTwo, false);
  const edited = await turn({ messages: [...history.slice(0, 2), user("other")] }, affinity);
  expect(edited.submit).toMatchObject({ session: { id }, prompt: "other", follows: afterTwo });
  expect(edited.submit).not.toHaveProperty("branchOf");
  know();
  const shrunk = await turn({ messages: [user("anew")] }, affinity);
  expect(shrunk.submit).toMatchObject({
    session: { id },
    prompt: "anew",
    follows: EMPTY_TRANSCRIPT,
    needsMemory: false,
  });
});

test("a turn that waited follows what the turns before it made of the session", async () => {
  const points: string[] = [];
  gateway.worker.locate = ({ by }) =>
    "session" in by ? { session: by.session, point: points.at(-1), isHead: true } : undefined;
  points.push(afterTwo!);
  const first = gateway.chat({ messages: history.slice(0, 3) }, affinity);
  const submitted = await gateway.worker.next("submit");
  const second = gateway.chat({ messages: history }, affinity);
  points.push(afterFour!);
  gateway.worker.answer(submitted, "four");
  const next = await gateway.worker.next("submit");
  expect(next).toMatchObject({ follows: afterFour, prompt: "five" });
  gateway.worker.answer(next, "six");
  for (const answer of [first, second]) await (await answer).text();
});

test("under the seed's headers one message alone is appended, unless the client says that it is all", async () => {
  know();
  const messages = [user("more")];
  const appended = await turn({ messages }, session);
  expect(appended.submit).toMatchObject({ prompt: "more", needsMemory: true });
  for (const field of ["follows", "transcript"]) expect(appended.submit).not.toHaveProperty(field);
  const full = { headers: { ...session.headers, "x-synthesis-history": "full" } };
  expect((await turn({ messages }, full)).submit.follows).toBe(EMPTY_TRANSCRIPT);
  expect((await turn({ messages: history }, session)).submit.follows).toBe(EMPTY_TRANSCRIPT);
});

test("a client may say that it sends only what is new, or that nothing is to be remembered", async () => {
  const asked = know();
  const append = { headers: { ...affinity.headers, "x-synthesis-history": "append" } };
  const result = { role: "tool", tool_call_id: "call", content: "R" };
  const appended = await turn({ messages: [result, user("more")] }, append);
  expect(appended.submit).toMatchObject({
    needsMemory: true,
    prompt: [{ type: "tool_result" }, { text: "more" }],
  });
  expect(asked.at(-1)).toMatchObject({ points: [] });
  gateway.worker.locate = () => expect.unreachable();
  const stateless = { headers: { ...affinity.headers, "x-synthesis-history": "stateless" } };
  const alone = await turn({ messages: history }, stateless);
  expect(alone).toMatchObject({ rule: "stateless", submit: { isStateless: true, needsMemory: false } });
  expect(alone.submit).not.toHaveProperty("transcript");
  const odd = { headers: { "x-synthesis-history": "some" } };
  expect(await (await gateway.chat("hi", odd)).json()).toMatchObject({
    error: { message: "x-synthesis-history: must be one of append, full, stateless" },
  });
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
  const found = {
    type: "located",
    session: "ses_known",
    agent: "echo",
    point: afterFour!,
    isHead: true,
  } as const;
  gateway.worker.send(...held.map(({ request }) => ({ ...found, request })));
  const submits = [await gateway.worker.next("submit"), await gateway.worker.next("submit")];
  for (const submit of submits) gateway.worker.answer(submit, "ok");
  for (const answer of asked) await (await answer).text();
  const [own, branch] = submits.toSorted(
    (a, b) => Number(b.session.id === "ses_known") - Number(a.session.id === "ses_known"),
  ) as [Submit, Submit];
  expect(own).toMatchObject({ session: { id: "ses_known" }, follows: afterFour });
  expect(own).not.toHaveProperty("branchOf");
  expect(branch).toMatchObject({ follows: afterFour, branchOf: "ses_known" });
});

test("what a conversation is sent without answers is added, whatever it was told before in the same words", async () => {
  const [afterHi] = pointsOf([user("Hi")]);
  const asked: Locate["by"][] = [];
  gateway.worker.locate = ({ by }) => {
    asked.push(by);
    const isKnown = "points" in by && by.points?.includes(afterHi!) === true;
    return { session: "ses_c", ...(isKnown ? { point: afterHi!, isHead: false } : {}) };
  };
  const messages = [user("Hi"), user("there?")];
  const { submit } = await turn({ conversation: "c", messages });
  expect(submit).toMatchObject({ prompt: "Hi\n\nthere?", needsMemory: true });
  expect(submit).not.toHaveProperty("follows");
  const full = { headers: { "x-synthesis-history": "full" } };
  expect((await turn({ conversation: "c", messages }, full)).submit).toMatchObject({ follows: afterHi });
});

const line = "Runtime: agent=main | session=agent:main:main";

test("OpenClaw's Runtime line decides for an OpenClaw key only, and never reaches the agent", async () => {
  const body = { messages: [user(`hi\n\n${line}`)] };
  const claw = await turn(body, { key: clawKey });
  expect(claw).toMatchObject({ rule: "openclaw-runtime", submit: { prompt: "hi" } });
  const generic = await turn(body);
  expect(generic.rule).toBe("new");
});

test("OpenClaw's own questions are stateless, whatever session they name", async () => {
  gateway.worker.locate = () => expect.unreachable();
  const summarize = { role: "system", content: "You are a context summarization assistant." };
  const messages = [summarize, user("<conversation>…")];
  const { submit, rule } = await turn({ messages }, { ...session, key: clawKey });
  expect(rule).toBe("side-request");
  expect(submit).toMatchObject({
    isStateless: true,
    instructions: summarize.content,
    prompt: "<conversation>…",
  });
});

test("OpenClaw's next message after an abort goes on from the aborted one, if that was begun", async () => {
  const [aborted] = pointsOf([user("stall")]);
  const queued =
    "[Queued user message from a previous active turn; preserved as context only. Continue with the active prompt below.]\nstall\n\nanew";
  const body = { messages: [user(`${queued}\n\n${line}`)] };
  know(aborted);
  const [later] = pointsOf([user("anew")]);
  const begun = await turn(body, { key: clawKey });
  expect(begun.submit).toMatchObject({ follows: aborted, prompt: "anew", transcript: later });
  know();
  const unknown = await turn(body, { key: clawKey });
  expect(unknown.submit).toMatchObject({
    follows: EMPTY_TRANSCRIPT,
    prompt: "stall\n\nanew",
    transcript: later,
  });
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
