import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, expectClean, tempFolder } from "@synthesis/testkit";
import { deltas, ended, FakeWorker } from "../support/fake-worker.ts";
import { RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

test("a turn whose worker is lost is followed on the next link, and its clients notice nothing", async () => {
  const { worker, supervisor } = gateway;
  const { events } = await gateway.stream("a");
  const { turn } = await worker.next("submit");
  worker.begin({ turn }, "part");
  await events.next();
  expect(await events.delta()).toEqual({ content: "part" });
  worker.drop();
  expect(await worker.next("follow")).toMatchObject({ turn, after: 1 });
  worker.send({ type: "accepted", turn }, ...deltas(turn, 2, " and whole"), ended(turn, 3));
  expect(await events.text()).toBe(" and whole");
  expect(supervisor.asked).toEqual(["demo", "demo"]);
  expect(worker.unread("submit")).toBe(0);
});

test.for([
  ["worker_unavailable", "accepted"],
  ["too_many_workspaces", "accepted"],
  ["too_many_workspaces", "handed over"],
] as const)(
  "a turn whose worker does not come back, as %s, once it was %s is not to be repeated",
  async ([code, was]) => {
    const { worker, supervisor, queues } = gateway;
    const asked = gateway.chat("a");
    const submit = await worker.next("submit");
    if (was === "accepted") {
      worker.begin(submit);
      await eventually(() => expect(queues.counts.waiting).toBe(0));
    }
    supervisor.ensure = () => ({ code, message: "not now", retryAfterMs: 1_000 });
    worker.drop();
    const response = await asked;
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([502, "false"]);
    expect(await response.json()).toMatchObject({ error: { code: "turn_interrupted" } });
    expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
  },
);

test("a turn that waited for a worker that is lost runs on the next one", async () => {
  const { worker, queues } = gateway;
  const same = { headers: { "x-openclaw-session-key": "k" } };
  const running = gateway.chat("a", same);
  const first = await worker.next("submit");
  const waiting = gateway.chat("b", same);
  await eventually(() => expect(queues.counts.waiting).toBe(2));
  worker.drop();
  expect(await worker.next("submit")).toEqual(first);
  worker.answer(first, "A");
  await (await running).text();
  worker.answer(await worker.next("submit"), "B");
  expect(await (await waiting).json()).toMatchObject({ choices: [{ message: { content: "B" } }] });
  expect(queues.counts).toEqual({ sessions: 0, waiting: 0 });
});

test("W-7: a message that is no frame ends the link and nothing else", async () => {
  const { worker } = gateway;
  const asked = gateway.chat("a");
  const { turn } = await worker.next("submit");
  worker.begin({ turn });
  worker.sendText('{"type":"delta"}');
  await worker.next("follow");
  worker.answer({ turn }, "A");
  expect(await (await asked).json()).toMatchObject({ choices: [{ message: { content: "A" } }] });
  const health = await gateway.fetch("/health");
  expect(await health.json()).toEqual({ ok: true });
});

test("a worker that answers each follow with what is no frame is given up", async () => {
  const { worker } = gateway;
  const asked = gateway.chat("a");
  worker.begin(await worker.next("submit"));
  let follows = 0;
  const spoil = async (): Promise<void> => {
    worker.sendText('{"type":"delta"}');
    await worker.next("follow");
    follows++;
    return spoil();
  };
  const spoiled = spoil().catch(() => {});
  const response = await asked;
  expect([response.status, await response.json()]).toMatchObject([
    502,
    { error: { code: "turn_interrupted" } },
  ]);
  expect(follows).toBeGreaterThan(1);
  await spoiled;
}, 10_000);

test("frames of a turn that is unknown or over are let pass", async () => {
  const asked = gateway.chat("a");
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer({ ...submit, turn: "00000000-0000-4000-8000-000000000000" }, "of nobody");
  gateway.worker.answer(submit, "A");
  gateway.worker.answer(submit, "once more");
  expect(await (await asked).json()).toMatchObject({ choices: [{ message: { content: "A" } }] });
});

test("requests that come at once share one link", async () => {
  const asked = Array.from({ length: 5 }, (_, n) => gateway.chat(`${n}`));
  for (let n = 0; n < 5; n++) gateway.worker.answer(await gateway.worker.next("submit"), "ok");
  for (const answer of asked) await (await answer).text();
  expect(gateway.supervisor.asked).toEqual(["demo"]);
  expect(gateway.worker.connections).toBe(1);
});

test("W-1, C-4: another generation than the one that was named is not taken: the supervisor is asked again", async () => {
  await using folder = await tempFolder();
  const stale = { workspace: "demo", epoch: 7, socketPath: folder.join("w.sock") };
  const imposter = await FakeWorker.listen(stale, { attachAs: { ...stale, epoch: 6 } });
  const right = await gateway.supervisor.ensure("demo");
  gateway.supervisor.ensure = () => (gateway.supervisor.asked.length === 1 ? stale : right);
  const asked = gateway.chat("a");
  gateway.worker.answer(await gateway.worker.next("submit"), "A");
  expect((await asked).status).toBe(200);
  await (await asked).text();
  expect(imposter.unread("submit")).toBe(0);
  expect(gateway.supervisor.asked).toHaveLength(2);
  await imposter.close();
});

test("a folder that is asked for by its path has one link too, and the supervisor is asked for it once", async () => {
  const right = await gateway.supervisor.ensure("demo");
  gateway.supervisor.ensure = () => ({ ...right, workspace: "demo" });
  for (const headers of [{ "x-openclaw-workspace": "/srv/code/demo" }, { "x-openclaw-workspace": "demo" }]) {
    for (const prompt of ["a", "b"]) {
      const asked = gateway.chat(prompt, { headers });
      gateway.worker.answer(await gateway.worker.next("submit"), "ok");
      await (await asked).text();
    }
  }
  expect(gateway.supervisor.asked).toEqual(["/srv/code/demo"]);
  expect(gateway.worker.connections).toBe(1);
});

test("a worker that is slow to start holds up nobody's requests but its own", async () => {
  const right = await gateway.supervisor.ensure("demo");
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  gateway.supervisor.ensure = async (workspace) => {
    if (workspace === "slow") await started;
    return right;
  };
  const slow = gateway.chat("slow", { headers: { "x-openclaw-workspace": "slow" } });
  await eventually(() => expect(gateway.supervisor.asked).toEqual(["slow"]));
  const fast = gateway.chat("fast");
  gateway.worker.answer(await gateway.worker.next("submit"), "F");
  expect((await fast).status).toBe(200);
  await (await fast).text();
  start();
  gateway.worker.answer(await gateway.worker.next("submit"), "S");
  expect((await slow).status).toBe(200);
  await (await slow).text();
});
