import {
  WireFailure,
  type AskVerdict,
  type ToolCallDelta,
  type TurnEnd,
  type WireError,
} from "@synthesis/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../../src/drivers/agent-process.ts";
import type { AskRequest } from "../../src/asks/ask-request.ts";
import { TurnRun } from "../../src/turn/turn-run.ts";
import { testLimits } from "../support/test-limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const completed: TurnEnd = { state: "completed", finishReason: "stop" };
const aborted: TurnEnd = {
  state: "cancelled",
  error: { code: "turn_cancelled", message: "the turn was interrupted" },
};
const dead: TurnEnd = { state: "interrupted", error: { code: "turn_interrupted", message: "it is dead" } };

/** An agent that does what the test says and notes what it is told. */
class ScriptedProcess implements AgentProcess {
  readonly started = Promise.resolve();
  readonly pid = 1;
  readonly anchor = undefined;
  readonly isAlive = true;
  readonly closed = new Promise<never>(() => {});
  readonly told: string[] = [];
  readonly turn = Promise.withResolvers<AgentTurnEnd>();
  events!: TurnEvents;
  onInterrupt = () => {};

  given: AgentTurn | undefined;

  async run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    this.given = turn;
    this.events = events;
    events.onStart();
    return this.turn.promise;
  }

  fits(): boolean {
    return true;
  }

  withdrawSteer(): void {}

  async steer(): Promise<boolean> {
    return false;
  }

  interrupt(): void {
    this.told.push("interrupt");
    this.onInterrupt();
  }

  async close(): Promise<void> {}

  async kill(): Promise<void> {
    this.told.push("kill");
    this.turn.resolve(dead);
  }
}

const limits = testLimits({
  startMs: 1000,
  firstByteMs: 500,
  stallMs: 300,
  toolMs: 700,
  turnMs: 5000,
  interruptMs: 60,
});

const TOO_LONG = "more than there is room for";
const tooLong: WireError = { code: "turn_failed", message: "the answer is longer than 1024 bytes" };

const asked: AgentTurn = {
  id: "0195c7f0-0000-4000-8000-000000000000",
  prompt: "p",
  model: undefined,
  effort: undefined,
  instructions: undefined,
  tools: [],
  answerSchema: undefined,
  resumes: false,
  shown: "",
};

function start(options: { warm?: boolean; asked?: Partial<AgentTurn>; onStart?: () => void } = {}) {
  const process = new ScriptedProcess();
  const cancel = new AbortController();
  const text: string[] = [];
  const held: number[] = [];
  const calls: ToolCallDelta[] = [];
  const steered: string[] = [];
  const runsOn: unknown[] = [];
  const denied: string[] = [];
  const verdict = Promise.withResolvers<AskVerdict>();
  const run = new TurnRun({
    process,
    turn: {
      cancel: cancel.signal,
      start: options.onStart ?? (() => {}),
      answer: (event) => {
        if (event.kind === "text" && event.text === TOO_LONG) return tooLong;
        if (event.kind === "text") text.push(event.text);
        else calls.push(event.call);
        return undefined;
      },
      remark: () => {},
      runsOn: (agent) => void runsOn.push(agent),
      steered: (message) => void steered.push(message),
      attach: async () => ({}),
      allTold: Promise.resolve(),
      ask: () => ({
        verdict: verdict.promise,
        withdraw: (by = "agent") => void denied.push(...process.told, by),
      }),
    },
    told: { ...asked, ...options.asked },
    limits,
    leftMs: limits.turnMs,
    isWarm: options.warm ?? true,
    onAccountHeld: (until: number) => void held.push(until),
  });
  return { process, cancel, text, held, calls, steered, runsOn, denied, verdict, end: run.run() };
}

const failedBy = (code: string) => ({ state: "failed", error: { code } });

test("a turn that ends by itself ends so, and no timer is left", async () => {
  const { process, text, end } = start();
  process.events.onText("a");
  process.turn.resolve(completed);
  expect(await end).toEqual(completed);
  expect([text, process.told, vi.getTimerCount()]).toEqual([["a"], [], 0]);
});

test("a cold process that shows no life is interrupted and killed at startMs", async () => {
  const { process, end } = start({ warm: false });
  vi.advanceTimersByTime(999);
  expect(process.told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(process.told).toEqual(["interrupt", "kill"]);
  expect(await end).toMatchObject(failedBy("start_timeout"));
  expect(vi.getTimerCount()).toBe(0);
});

test("the first sign of life ends the start, from then on the first byte is waited for", async () => {
  const { process, end } = start({ warm: false });
  vi.advanceTimersByTime(900);
  process.events.onLife();
  vi.advanceTimersByTime(499);
  expect(process.told).toEqual([]);
  vi.advanceTimersByTime(61);
  expect(await end).toMatchObject(failedBy("first_byte_timeout"));
});

test("a warm process has no start", async () => {
  const { process, end } = start();
  vi.advanceTimersByTime(499);
  expect(process.told).toEqual([]);
  vi.advanceTimersByTime(61);
  expect(await end).toMatchObject(failedBy("first_byte_timeout"));
});

test.for([
  {
    stage: { name: "first_byte" },
    ms: 500,
    code: "first_byte_timeout",
    names: ["limits.firstByteMs", "500 ms"],
  },
  { stage: { name: "answer" }, ms: 300, code: "stall_timeout", names: ["limits.stallMs", "300 ms"] },
  { stage: { name: "tool", tool: "Bash" }, ms: 700, code: "tool_timeout", names: ["limits.toolMs", "Bash"] },
] as const)(
  "silence in the stage $stage.name ends by $code, which names it",
  async ({ stage, ms, code, names }) => {
    const { process, end } = start();
    process.events.onStage({ name: "answer" });
    process.events.onStage(stage);
    vi.advanceTimersByTime(ms - 1);
    process.events.onLife();
    vi.advanceTimersByTime(ms - 1);
    expect(process.told).toEqual([]);
    vi.advanceTimersByTime(61);
    const ended = await end;
    expect(ended).toMatchObject(failedBy(code));
    for (const name of names) expect(JSON.stringify(ended)).toContain(name);
  },
);

test("an announced pause is added to the stage's limit, once", async () => {
  const { process, end } = start();
  process.events.onStage({ name: "answer" });
  process.events.onLife(2000);
  vi.advanceTimersByTime(2299);
  expect(process.told).toEqual([]);
  process.events.onLife();
  vi.advanceTimersByTime(299);
  expect(process.told).toEqual([]);
  vi.advanceTimersByTime(61);
  expect(await end).toMatchObject(failedBy("stall_timeout"));
});

test("an announced pause beyond what a timer can hold does not end the turn at once", async () => {
  const { process, end } = start();
  process.events.onLife(2 ** 40);
  vi.advanceTimersByTime(4999);
  expect(process.told).toEqual([]);
  vi.advanceTimersByTime(61);
  expect(await end).toMatchObject(failedBy("turn_timeout"));
});

test("each sign of life puts the stall off, the turn's deadline stays", async () => {
  const { process, end } = start();
  process.onInterrupt = () => process.turn.resolve(aborted);
  for (let at = 0; at < 5000; at += 250) {
    expect(process.told).toEqual([]);
    process.events.onLife();
    vi.advanceTimersByTime(250);
  }
  expect(await end).toMatchObject(failedBy("turn_timeout"));
  expect(process.told).toEqual(["interrupt"]);
});

test("a cancelled turn ends as cancelled with its reason once the agent stopped", async () => {
  const { process, cancel, end } = start();
  cancel.abort(new WireFailure("turn_cancelled", "the client left"));
  process.turn.resolve(aborted);
  expect(await end).toEqual({
    state: "cancelled",
    error: { code: "turn_cancelled", message: "the client left" },
  });
  expect(vi.getTimerCount()).toBe(0);
});

test("a turn that is cut because its worker closes ends as interrupted", async () => {
  const { process, cancel, end } = start();
  cancel.abort(new WireFailure("turn_interrupted", "the turn was cut: closing"));
  process.turn.resolve(aborted);
  expect(await end).toMatchObject({ state: "interrupted", error: { code: "turn_interrupted" } });
});

test("the first cause to stop a turn is the one reported", async () => {
  const { process, cancel, end } = start();
  process.events.onHopeless({ code: "upstream_authentication", message: "401" });
  cancel.abort(new WireFailure("turn_cancelled", "too late"));
  vi.advanceTimersByTime(60);
  expect(process.told).toEqual(["interrupt", "kill"]);
  expect(await end).toMatchObject(failedBy("upstream_authentication"));
});

test("a turn that completes all the same has completed, with all of its text", async () => {
  const { process, cancel, text, end } = start();
  process.events.onText("one");
  cancel.abort(new WireFailure("turn_cancelled", "the client left"));
  process.events.onText(" two");
  process.turn.resolve(completed);
  expect(await end).toEqual(completed);
  expect(text).toEqual(["one", " two"]);
});

test("a hopeless turn that completes all the same has failed, and nothing more of it is handed on", async () => {
  const { process, text, end } = start();
  process.events.onText("one");
  process.events.onHopeless({ code: "answer_diverged", message: "ask again" });
  process.events.onText(" TWO");
  process.turn.resolve(completed);
  expect(await end).toMatchObject(failedBy("answer_diverged"));
  expect(text).toEqual(["one"]);
});

test("what onStart throws is what run rejects with", async () => {
  const { end } = start({
    onStart: () => {
      throw new Error("disk full");
    },
  });
  await expect(end).rejects.toThrow("disk full");
  expect(vi.getTimerCount()).toBe(0);
});

test("a lost session is handed on", async () => {
  const { process, end } = start();
  process.turn.resolve({ state: "session_lost" });
  expect(await end).toEqual({ state: "session_lost" });
});

test("a turn that no process has begun is handed on", async () => {
  const { process, end } = start();
  const error = { code: "agent_unavailable", message: "it died" } as const;
  process.turn.resolve({ state: "not_begun", error });
  expect(await end).toEqual({ state: "not_begun", error });
});

test("a resumed turn tells its process what was shown, and who holds the account hears of it", async () => {
  const { process, held, end } = start({ asked: { resumes: true, shown: "one two" } });
  expect(process.given).toEqual({ ...asked, resumes: true, shown: "one two" });
  process.events.onAccountHeld(4e12);
  process.turn.resolve(completed);
  await end;
  expect(held).toEqual([4e12]);
});

test("what else is said in a turn reaches its process, as long as it runs there", async () => {
  const { process, steered, runsOn, end } = start();
  expect(runsOn).toEqual([process]);
  process.events.onSteered("m");
  expect(steered).toEqual(["m"]);
  process.turn.resolve(completed);
  await end;
  expect(runsOn).toEqual([process, undefined]);
});

test("calls of the client's functions are handed on; an answer that is too long is stopped, and no more of it told", async () => {
  const { process, calls, text, end } = start();
  const call = { index: 0, id: "toolu1", name: "look", arguments: "x".repeat(1000) };
  process.events.onToolCall(call);
  process.events.onText(TOO_LONG);
  process.events.onText("more");
  process.turn.resolve({ state: "completed", finishReason: "tool_calls" });
  expect(await end).toMatchObject(failedBy("turn_failed"));
  expect([calls, text, process.told]).toEqual([[call], [], ["interrupt"]]);
});

const ask: AskRequest = { kind: "permission", tool: "Bash", title: "Bash", input: {}, always: [] };

test("while a person is asked no deadline of the turn runs; after the verdict they do", async () => {
  const { process, verdict, end } = start();
  process.events.onStage({ name: "tool", tool: "Bash" });
  vi.advanceTimersByTime(1);
  const [first, second] = [process.events.onAsk(ask), process.events.onAsk(ask)];
  process.events.onLife();
  vi.advanceTimersByTime(10 * limits.turnMs);
  expect(process.told).toEqual([]);
  verdict.resolve({ behavior: "allow" });
  expect(await Promise.all([first.verdict, second.verdict])).toEqual([
    { behavior: "allow" },
    { behavior: "allow" },
  ]);
  for (let passed = 2; passed < limits.turnMs; passed++) {
    vi.advanceTimersByTime(1);
    process.events.onLife();
  }
  expect(process.told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(process.told).toEqual(["interrupt"]);
  process.turn.resolve(aborted);
  expect(await end).toMatchObject(failedBy("turn_timeout"));
  expect(vi.getTimerCount()).toBe(0);
});

test("silence counts anew after a verdict", async () => {
  const { process, verdict, end } = start();
  process.events.onStage({ name: "tool", tool: "Bash" });
  const { verdict: said } = process.events.onAsk(ask);
  verdict.resolve({ behavior: "allow" });
  await said;
  vi.advanceTimersByTime(limits.toolMs);
  process.turn.resolve(aborted);
  expect(await end).toMatchObject(failedBy("tool_timeout"));
});

test("a turn that is cancelled is interrupted, then denies what is asked: its client has left", async () => {
  const { process, cancel, denied, verdict, end } = start();
  const { verdict: said } = process.events.onAsk(ask);
  cancel.abort(new WireFailure("turn_cancelled", "its client left"));
  expect(denied).toEqual(["interrupt", "cancelled"]);
  process.events.onAsk(ask);
  expect(denied.slice(2)).toEqual(["interrupt", "cancelled"]);
  verdict.resolve({ behavior: "deny" });
  await said;
  process.turn.resolve(aborted);
  expect(await end).toMatchObject({ state: "cancelled" });
  expect(vi.getTimerCount()).toBe(0);
});

test("what is asked of a turn that has ended is withdrawn", async () => {
  const { process, denied, end } = start();
  process.events.onAsk(ask);
  process.turn.resolve(completed);
  await end;
  expect(denied).toEqual(["agent"]);
});
