import type { Locate } from "@synthesis/protocol";
import { afterEach, expect, test } from "vitest";
import { eventually, expectClean } from "@synthesis/testkit";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());
const start = async () => (gateway = await RunningGateway.start());

test("a worker that drains refuses: the turn runs on the next generation, under the same id", async () => {
  const { worker } = await start();
  const asked = gateway.chat("a");
  const submit = await worker.next("submit");
  const next = await gateway.nextWorker();
  const error = { code: "worker_draining", message: "being replaced", retryAfterMs: 1_000 } as const;
  worker.send({ type: "refused", turn: submit.turn, error });
  expect(await next.next("submit")).toEqual(submit);
  next.answer(submit, "A");
  expect(await (await asked).json()).toMatchObject({ choices: [{ message: { content: "A" } }] });
  expect(worker.unread("submit")).toBe(0);
});

test("a worker that drains is asked no more while the next generation is not there, and the turn waits in its place", async () => {
  const { worker, supervisor, queues } = await start();
  const asked = gateway.chat("a");
  const submit = await worker.next("submit");
  const error = { code: "worker_draining", message: "being replaced", retryAfterMs: 1_000 } as const;
  worker.send({ type: "refused", turn: submit.turn, error });
  await eventually(() => expect(supervisor.asked.length).toBeGreaterThan(2));
  expect([worker.unread("submit"), queues.counts.waiting]).toEqual([0, 1]);
  const next = await gateway.nextWorker();
  next.answer(await next.next("submit"), "A");
  expect((await asked).status).toBe(200);
  await (await asked).text();
});

const history = {
  messages: [
    { role: "user", content: "one" },
    { role: "assistant", content: "two" },
    { role: "user", content: "three" },
  ],
};
const session = { headers: { "x-openclaw-session-key": "one conversation" } };

test("an agent that lost the conversation is told it, in the same turn", async () => {
  const { worker } = await start();
  worker.locate = ({ by }) => ({ session: "ses_known", point: newestOf(by), isHead: true });
  const asked = gateway.chat(history, session);
  const first = await worker.next("submit");
  expect(first).toMatchObject({ prompt: "three", needsMemory: true });
  const error = { code: "session_lost", message: "not remembered" } as const;
  worker.send({ type: "refused", turn: first.turn, error });
  const second = await worker.next("submit");
  const { follows, ...rest } = first;
  expect(follows).toBeDefined();
  expect(second).toEqual({
    ...rest,
    prompt: second.prompt,
    said: { words: "three", receivedMs: expect.any(Number) as number },
    needsMemory: false,
  });
  expect(second.prompt).toContain('<message role="assistant">\ntwo\n</message>');
  worker.send({ type: "accepted", turn: second.turn, reset: "its memory was lost" });
  worker.answer(second, "A");
  const response = await asked;
  expect(response.headers.get("x-synthesis-session-reset")).toBe("its memory was lost");
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: "A" } }] });
});

test("a stream is told within it that its session begins anew", async () => {
  const { worker } = await start();
  const { events } = await gateway.stream("a", session);
  const submit = await worker.next("submit");
  worker.send({ type: "accepted", turn: submit.turn, reset: "its memory was lost" });
  worker.answer(submit, "A");
  await events.next();
  expect(await events.delta()).toEqual({
    reasoning_content: "[the session begins anew: its memory was lost]\n",
  });
  expect(await events.text()).toBe("A");
});

test("a session that is known to be lost goes on with what the request tells", async () => {
  const { worker } = await start();
  worker.locate = () => ({ session: "ses_known", reset: "its memory was lost" });
  const { events } = await gateway.stream("", { ...session, body: history });
  const submit = await worker.next("submit");
  expect(submit).toMatchObject({ needsMemory: false });
  expect(submit).not.toHaveProperty("follows");
  expect(submit.prompt).toContain('<message role="assistant">\ntwo\n</message>');
  worker.answer(submit, "A");
  expect(await events.text()).toBe("A");
});

test("a session that changed since its worker was asked is looked for again, a bounded number of times", async () => {
  const { worker } = await start();
  let asked = 0;
  worker.locate = ({ by }) => ({ session: "ses_known", point: newestOf(by), isHead: asked++ === 0 });
  const answer = gateway.chat(history, session);
  const error = { code: "history_changed", message: "it went on" } as const;
  for (let refused = 0; refused < 4; refused++)
    worker.send({ type: "refused", turn: (await worker.next("submit")).turn, error });
  expect(await (await answer).json()).toMatchObject({ error: { code: "history_changed" } });
  expect([asked, worker.unread("submit")]).toEqual([4, 0]);
});

function newestOf(by: Locate["by"]): string {
  return ("points" in by && by.points?.[0]) || expect.fail("no points were asked for");
}
