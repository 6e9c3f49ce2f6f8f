import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { monotonicMs } from "@synthesis/kit";
import type { AskQuestion } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { AskRequest } from "../../src/asks/ask-request.ts";
import type { OpenAsk } from "../../src/asks/open-ask.ts";
import { WorkspaceAsks } from "../../src/asks/workspace-asks.ts";
import { defaultAsks } from "../support/default-asks.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { testCaller, testSaid, testSubmit } from "../support/test-submit.ts";

expectClean();

const request: AskRequest = { kind: "permission", tool: "Bash", title: "Bash", input: {}, always: [] };

function codeOf(asks: WorkspaceAsks, id: string): unknown {
  try {
    return asks.find(id, testCaller);
  } catch (error) {
    return (error as { error: { code: string } }).error.code;
  }
}

test("of the last 1,000 verdicts who comes too late hears how it was; of older ones that there is none", () => {
  const asks = new WorkspaceAsks(new LogRecorder());
  const asking = { order: testSubmit(randomUUID(), "hi"), settings: defaultAsks };
  const ids = Array.from({ length: 1_001 }, () => {
    const ask = asks.open(request, asking, () => {});
    ask.settle({ behavior: "deny" }, "agent");
    return ask.info.id;
  });
  expect([codeOf(asks, ids[0]!), codeOf(asks, ids[1]!)]).toEqual(["ask_not_found", "ask_settled"]);
});

const branch: AskQuestion = {
  question: "Delete it?",
  options: [{ label: "Yes" }, { label: "No" }],
  isMultiple: false,
};
const host: AskQuestion = { question: "host", options: [], isMultiple: false };
const elsewhere: Readonly<Record<string, Partial<AskRequest>>> = {
  permission: {},
  plan: { kind: "plan" },
  question: { kind: "question", questions: [branch] },
  input: { kind: "input", questions: [host] },
};
test.for(
  Object.keys(elsewhere).flatMap((kind) => ["yes", "No", "always"].map((word) => [kind, word] as const)),
)("W-20: after a permission, with a %s next, %s said twice settles only the first", async ([kind, word]) => {
  const asks = new WorkspaceAsks(new LogRecorder());
  const asking = { order: testSubmit(randomUUID(), "hi"), settings: defaultAsks };
  const [first, second] = [request, { ...request, ...elsewhere[kind] }].map((each) =>
    asks.open(each, asking, () => {}),
  );
  first!.tell("in_answer");
  await pause(5); // what is received in the same millisecond came before it was told
  const hear = ({ info }: OpenAsk, words: string, receivedAt = Date.now()) =>
    asks.hear(info.id, testSaid(words, receivedAt), testCaller);
  expect(hear(first!, word)).toMatchObject({ by: "chat" });
  const settledAt = Date.now();
  second!.tell("in_answer");
  await pause(5);
  expect(() => hear(second!, word)).toThrow(/the ask has its verdict/);
  expect(() => hear(second!, word, settledAt + 900)).toThrow(/the ask has its verdict/);
  expect(second!.isOpen).toBe(true);
  expect(hear(second!, "no, the old one")).toMatchObject({ by: "chat" });
});

test("W-20: what is asked besides, however often, does not make a word said twice count", async () => {
  const asks = new WorkspaceAsks(new LogRecorder());
  const askingIn = (session: string) => ({
    order: testSubmit(randomUUID(), "hi", { session }),
    settings: defaultAsks,
  });
  const [first, second] = [1, 2].map(() => asks.open(request, askingIn("s"), () => {}));
  first!.tell("in_answer");
  await pause(5);
  const hear = ({ info }: OpenAsk) => asks.hear(info.id, testSaid("yes", Date.now()), testCaller);
  hear(first!);
  second!.tell("in_answer");
  for (const session of ["loud", "s"])
    for (let count = 0; count < 2_000; count++) asks.open(request, askingIn(session), () => {});
  await pause(5);
  expect(() => hear(second!)).toThrow(/the ask has its verdict/);
  asks.drain();
});

test("of an ask that is settled a bare word is too late, and more than that is for the agent", async () => {
  const asks = new WorkspaceAsks(new LogRecorder());
  const asking = { order: testSubmit(randomUUID(), "hi"), settings: defaultAsks };
  const ask = asks.open(request, asking, () => {});
  ask.tell("in_answer");
  await pause(5);
  const receivedMs = monotonicMs();
  asks.answer(ask.info.id, { behavior: "deny", by: "api" }, testCaller);
  const hear = (words: string) => asks.hear(ask.info.id, { words, receivedMs }, testCaller);
  expect(() => hear("yes")).toThrow(/the ask has its verdict: deny, by api/);
  expect([hear("no, use ls"), hear("go on")]).toEqual([undefined, undefined]);
});
