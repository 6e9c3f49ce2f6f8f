import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { GatewayPeer, ServedWorkspace } from "../support/served-workspace.ts";
import { locatedSeed, testCaller, testSubmit } from "../support/test-submit.ts";

expectClean();

const seed = { agent: "seed" } as const;
/** The types of the frames that tell of a turn. */
const typesOf = (peer: GatewayPeer) =>
  peer.frames.map(({ type }) => type).filter((type) => type !== "attached" && type !== "account_held");

test("a turn that is not accepted ends with the last link that waits for it, one that is goes on", async () => {
  await using served = await ServedWorkspace.start();
  const first = await served.attach();
  await using second = await served.attach({ gateway: 2 });
  const [running, lost, shared] = [randomUUID(), randomUUID(), randomUUID()];
  first.say(
    testSubmit(running, "!parts", seed),
    testSubmit(lost, "lost", seed),
    testSubmit(shared, "shared", seed),
  );
  await first.next("accepted");
  second.say(testSubmit(shared, "shared", seed));
  second.say({ type: "locate", request: 1, by: { session: "s" } });
  await second.next("located"); // it was read
  first.socket.terminate();
  await second.next("ended");
  expect(second.textOf(shared)).toBe("seed: shared");
  expect(served.space.journaled("completed")).toEqual([running, shared]);
  expect(served.space.log.fieldsOf("turn.refused")).toMatchObject([{ turn: lost, code: "turn_cancelled" }]);
});

test("the link of a fenced gateway ends, and nothing unread of it is acted on (W-11)", async () => {
  await using served = await ServedWorkspace.start();
  await using dead = await served.attach({ gateway: 1 });
  await using other = await served.attach({ gateway: 3 });
  await using next = new GatewayPeer(`ws+unix://${served.space.configuration.socketPath}:/`);
  await next.opened;
  // Both are there when the worker reads again; what came first it reads first.
  next.say({ type: "attach", protocol: 1, gateway: 2, fence: 2 });
  dead.say(testSubmit(randomUUID(), "hi", seed));
  expect(await dead.closed).toMatchObject({ code: 1006 });
  other.say({ type: "locate", request: 1, by: { session: "s" } });
  await other.next("located");
  next.say({ type: "locate", request: 1, by: { session: "s" } });
  expect(await next.next("located")).toEqual({ type: "located", request: 1 });
  expect(served.space.workspace.status()).toMatchObject({ sessions: 0, turns: 0 });
});

test("a dead gateway's attach that is read late is not answered, and what follows it has no effect", async () => {
  await using served = await ServedWorkspace.start();
  await using alive = await served.attach({ gateway: 5, fence: 5 });
  await using late = new GatewayPeer(`ws+unix://${served.space.configuration.socketPath}:/`);
  await late.opened;
  late.say(
    { type: "attach", protocol: 1, gateway: 4, fence: 0 },
    testSubmit(randomUUID(), "hi", seed),
    { type: "attach", protocol: 1, gateway: 5, fence: 0 },
    testSubmit(randomUUID(), "hi", seed),
  );
  expect(await late.closed).toMatchObject({ code: 1006 });
  expect(typesOf(late)).toEqual([]);
  expect(served.space.workspace.status()).toMatchObject({ sessions: 0, turns: 0 });
  alive.say(testSubmit(randomUUID(), "hi", seed));
  expect(await alive.next("ended")).toMatchObject({ end: { state: "completed" } });
});

test("a fence is never lowered", async () => {
  await using served = await ServedWorkspace.start();
  await using alive = await served.attach({ gateway: 5, fence: 5 });
  await using later = await served.attach({ gateway: 6, fence: 0 });
  await expect(served.attach({ gateway: 4, fence: 0 })).rejects.toThrow("closed without attached");
  for (const peer of [alive, later]) {
    peer.say({ type: "locate", request: 1, by: { session: "s" } });
    await peer.next("located");
  }
});

test("a gateway hears why a session begins anew: when it asks for it, and when its turn is accepted", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  peer.say(testSubmit(randomUUID(), "hi", seed));
  await peer.next("ended");
  served.space.workspace.evictOldest();
  const reset = "the agent's program has ended, and its memory with it";
  peer.say({ type: "locate", request: 1, by: { session: "s" } });
  expect(await peer.next("located")).toEqual({ type: "located", request: 1, ...locatedSeed, reset });
  const [relying, telling] = [randomUUID(), randomUUID()];
  peer.say(testSubmit(relying, "more", { ...seed, needsMemory: true }));
  expect(await peer.next("refused")).toMatchObject({ turn: relying, error: { code: "session_lost" } });
  peer.say(testSubmit(telling, "all, and more", seed));
  expect(await peer.next("accepted", 2)).toEqual({ type: "accepted", turn: telling, reset });
  await peer.next("ended", 2);
});

test("each gateway is told when the account is held, and a new one at once", async () => {
  await using served = await ServedWorkspace.start();
  await using first = await served.attach();
  const until = Date.now() + 60_000;
  served.server.accountHeld(until);
  expect(await first.next("account_held", 2)).toEqual({ type: "account_held", until });
  served.server.accountHeld(undefined);
  expect(await first.next("account_held", 3)).toEqual({ type: "account_held" });
  served.space.workspace.account.hold(until);
  await using second = await served.attach();
  expect(await second.next("account_held")).toEqual({ type: "account_held", until });
});

test("a journal that cannot be read ends the link, not the worker", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  using database = new DatabaseSync(served.space.configuration.journalFile);
  database.exec("ALTER TABLE turns RENAME TO hidden");
  peer.say(testSubmit(randomUUID(), "hi", seed));
  expect(await peer.closed).toMatchObject({ code: 1006 });
  expect(served.space.log.fieldsOf("gateway_link.failed")).toMatchObject([{ frame: "submit" }]);
  database.exec("ALTER TABLE hidden RENAME TO turns");
  await using again = await served.attach();
  again.say(testSubmit(randomUUID(), "hi", seed));
  expect(await again.next("ended")).toMatchObject({ end: { state: "completed" } });
});

test("a question that meets a fault is answered with it, and the link goes on", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  using database = new DatabaseSync(served.space.configuration.journalFile);
  database.exec("ALTER TABLE sessions RENAME TO hidden");
  peer.say(
    { type: "locate", request: 1, by: { session: "s" } },
    { type: "find_turn", request: 2, caller: testCaller, by: { turn: randomUUID() } },
  );
  const error = { code: "worker_unavailable", retryAfterMs: 5_000 };
  expect(await peer.next("unanswered", 1)).toMatchObject({ request: expect.any(Number), error });
  expect(await peer.next("unanswered", 2)).toMatchObject({ request: expect.any(Number), error });
  const answered = peer.frames.filter(({ type }) => type === "unanswered");
  expect(new Set(answered.map(({ request }) => request))).toEqual(new Set([1, 2]));
  database.exec("ALTER TABLE hidden RENAME TO sessions");
  peer.say({ type: "locate", request: 3, by: { session: "s" } });
  expect(await peer.next("located")).toEqual({ type: "located", request: 3 });
});

test("what comes once the workspace has closed is left to the next worker: the link ends unanswered", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.say(testSubmit(turn, "!slow 1000 20"));
  await peer.next("delta");
  await served.space.close();
  peer.say(
    testSubmit(randomUUID(), "hi", seed),
    { type: "locate", request: 1, by: { session: "s" } },
    { type: "find_turn", request: 2, caller: testCaller, by: { turn } },
    { type: "follow", turn, after: 0 },
    { type: "taken", turn },
    { type: "cancel_turn", turn, reason: "late" },
  );
  await peer.next("ended");
  await served.server.close();
  expect(await peer.closed).toMatchObject({ code: 1001 });
  expect(typesOf(peer).filter((type) => type !== "delta")).toEqual(["accepted", "ended"]);
  expect(served.space.log.fieldsOf("gateway_link.failed")).toEqual([]);
});
