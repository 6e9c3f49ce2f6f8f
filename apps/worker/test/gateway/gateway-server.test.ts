import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import {
  CloseCode,
  EMPTY_TRANSCRIPT,
  linkMessageBytes,
  PROTOCOL_VERSION,
  rollTranscript,
} from "@synthesis/protocol";
import { eventually, expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { GatewayServer } from "../../src/gateway/gateway-server.ts";
import { GatewayPeer, ServedWorkspace } from "../support/served-workspace.ts";
import { locatedSeed, testScope, testSubmit } from "../support/test-submit.ts";

expectClean();

test("W-1: attach is answered with the workspace and its epoch", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  await peer.next("account_held");
  expect(peer.frames).toEqual([
    { type: "attached", protocol: PROTOCOL_VERSION, workspace: "w", epoch: 1 },
    { type: "account_held" },
  ]);
});

test("W-1: a gateway of another protocol is sent away", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = new GatewayPeer(`ws+unix://${served.space.configuration.socketPath}:/`);
  await peer.opened;
  peer.say({ type: "attach", protocol: PROTOCOL_VERSION + 1, gateway: 1, fence: 0 });
  expect(await peer.closed).toMatchObject({ code: CloseCode.unsupportedProtocol });
  expect(peer.frames).toEqual([]);
});

test("what is sent before attach has no effect", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = new GatewayPeer(`ws+unix://${served.space.configuration.socketPath}:/`);
  await peer.opened;
  peer.say(testSubmit(randomUUID(), "hi"), { type: "attach", protocol: 1, gateway: 1, fence: 0 });
  expect(await peer.closed).toMatchObject({ code: 1006 });
  expect([peer.frames, served.space.workspace.status().sessions]).toEqual([[], 0]);
});

test("the socket can be opened by this user only", async () => {
  await using served = await ServedWorkspace.start();
  expect(statSync(served.space.configuration.socketPath).mode & 0o777).toBe(0o600);
});

test("W-3: a submitted turn is accepted, streamed and ended, in this order", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.send(testSubmit(turn, "!tool"));
  expect(await peer.next("ended")).toEqual({
    type: "ended",
    turn,
    seq: expect.any(Number),
    end: expect.objectContaining({ state: "completed" }),
  });
  const types = peer.frames.map(({ type }) => type);
  expect(types.slice(0, 3)).toEqual(["attached", "account_held", "accepted"]);
  expect(types.at(-1)).toBe("ended");
  expect(types).toContain("reasoning");
  expect(peer.textOf(turn)).toBe("before the tool\n\nafter the tool");
  expect(peer.frames.slice(2).every((frame) => frame["turn"] === turn)).toBe(true);
  const numbers = peer.numbersOf(turn);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test("W-2: a prompt that JSON makes longest arrives; a message over the bound costs its link only", async () => {
  const bodyBytes = 100_000;
  await using served = await ServedWorkspace.start({ limits: { bodyBytes } });
  await using peer = await served.attach();
  const longest = "\u0001".repeat((bodyBytes / 4) * 3); // as a text file of base64
  peer.send(testSubmit(randomUUID(), longest, { agent: "nobody" }));
  expect(await peer.next("refused")).toMatchObject({ error: { code: "model_not_found" } });
  await using other = await served.attach();
  other.send(testSubmit(randomUUID(), "x".repeat(linkMessageBytes(bodyBytes)), { agent: "nobody" }));
  expect(await other.closed).toMatchObject({ code: 1009 });
  peer.send(testSubmit(randomUUID(), "hi", { agent: "nobody" }));
  await peer.next("refused", 2);
});

test("a turn is cancelled by its id", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.send(testSubmit(turn, "!slow 1000 20"));
  await peer.next("delta");
  peer.send({ type: "cancel_turn", turn, reason: "the client left" });
  expect(await peer.next("ended")).toMatchObject({ turn, end: { state: "cancelled" } });
});

test("a gateway locates the session it served by id and by transcript", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  peer.send(testSubmit(randomUUID(), "hi", { agent: "seed" }));
  await peer.next("ended");
  const head = rollTranscript(rollTranscript(EMPTY_TRANSCRIPT, "user", "hi"), "assistant", "seed: hi");
  peer.send([
    { type: "locate", request: 1, by: { session: "s" } },
    { type: "locate", request: 2, by: { session: "unknown" } },
    { type: "locate", request: 3, by: { scope: testScope, points: [head] } },
    { type: "locate", request: 4, by: { scope: testScope, points: [EMPTY_TRANSCRIPT] } },
  ]);
  await peer.next("located", 4);
  const located = peer.frames.filter(({ type }) => type === "located");
  expect(located.sort((a, b) => Number(a["request"]) - Number(b["request"]))).toEqual([
    { type: "located", request: 1, ...locatedSeed },
    { type: "located", request: 2 },
    { type: "located", request: 3, ...locatedSeed, point: head, isHead: true },
    { type: "located", request: 4 },
  ]);
});

test("W-16: calls of the client's functions are told as frames of their own, numbered like the rest", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  const tools = [{ name: "look", parameters: { type: "object" } }];
  peer.send(testSubmit(turn, '!call look {"at":"it"}', { tools }));
  expect(await peer.next("ended")).toMatchObject({ end: { state: "completed", finishReason: "tool_calls" } });
  const calls = peer.frames.filter(({ type }) => type === "tool_called").map(({ call }) => call);
  expect(calls[0]).toMatchObject({ index: 0, name: "look", id: expect.stringMatching(/^[A-Za-z0-9]+$/) });
  const json = calls.map((call) => (call as { arguments: string }).arguments).join("");
  expect(JSON.parse(json)).toEqual({ at: "it" });
  expect(peer.numbersOf(turn)).toEqual(peer.numbersOf(turn).map((_, index) => index + 1));
});

test("W-22: a steer that is withdrawn in time is answered as one that nothing takes up", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const [turn, message] = [randomUUID(), randomUUID()];
  peer.send(testSubmit(turn, "!tool 400"));
  await peer.next("delta");
  peer.say({ type: "steer", request: 1, turn, message, prompt: "look left too" });
  peer.say(
    { type: "withdraw_steer", turn, message },
    { type: "withdraw_steer", turn: randomUUID(), message },
  );
  expect(await peer.next("steered")).toEqual({ type: "steered", request: 1 });
  expect(await peer.next("ended")).toMatchObject({ end: { state: "completed" } });
  expect(peer.textOf(turn)).toBe("before the tool\n\nafter the tool");
});

test("W-18: a steer is answered with the number of the event before it, or without where nothing takes it up", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.send(testSubmit(turn, "!tool 400"));
  await peer.next("delta");
  const steer = { type: "steer", message: randomUUID(), prompt: "look left too" } as const;
  peer.say({ ...steer, request: 1, turn }, { ...steer, request: 2, turn: randomUUID() });
  const [first, second] = [await peer.next("steered"), await peer.next("steered", 2)];
  expect(first).toEqual({ type: "steered", request: 2 });
  expect(second).toEqual({ type: "steered", request: 1, after: expect.any(Number) });
  await peer.next("ended");
  const rest = peer.frames.filter(
    (frame) => frame.type === "delta" && Number(frame["seq"]) > Number(second["after"]),
  );
  expect(rest.map(({ text }) => text).join("")).toContain("after the tool, and to: look left too");
});

test("W-6: a turn on a transcript that has changed is refused with history_changed", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  const turn = randomUUID();
  peer.send(testSubmit(turn, "hi", { follows: "0".repeat(64) }));
  expect(await peer.next("refused")).toMatchObject({ turn, error: { code: "history_changed" } });
  expect(peer.frames.some(({ type }) => type === "accepted")).toBe(false);
});

test.for([
  { title: "no JSON", frame: "{" },
  { title: "an unknown type", frame: { type: "drop_tables" } },
  { title: "a submit without a session", frame: { type: "submit", turn: randomUUID(), prompt: "hi" } },
  { title: "a fence that is none", frame: { type: "attach", protocol: 1, gateway: 1, fence: "all" } },
  { title: "a turn id that is none", frame: { type: "cancel_turn", turn: "x", reason: "" } },
])("$title ends the link and nothing else", async ({ frame }) => {
  await using served = await ServedWorkspace.start();
  await using broken = await served.attach();
  await using other = await served.attach();
  broken.send(frame);
  expect(await broken.closed).toMatchObject({ code: 1006 });
  other.send({ type: "locate", request: 1, by: { session: "s" } });
  expect(await other.next("located")).toEqual({ type: "located", request: 1 });
});

test("losing the link does not cancel the turn, and its session is known to the next gateway", async () => {
  await using served = await ServedWorkspace.start();
  const first = await served.attach();
  first.send(testSubmit(randomUUID(), "!slow 8 20"));
  await first.next("delta");
  first.socket.terminate();
  await first.closed;
  await using second = await served.attach();
  const turn = randomUUID();
  second.send(testSubmit(turn, "hi"));
  await second.next("ended");
  expect(second.textOf(turn)).toBe("fake: hi (turn 2 of this conversation)");
  const states = served.space.log.fieldsOf("turn.ended").map(({ state }) => state);
  expect(states).toEqual(["completed", "completed"]);
});

test("closing says 1001 to each gateway, after the ends of its turns", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  peer.send(testSubmit(randomUUID(), "!slow 1000 20"));
  await peer.next("delta");
  await served.space.close();
  await served.server.close();
  expect(await peer.closed).toMatchObject({ code: 1001 });
  expect(peer.frames.at(-1)).toMatchObject({ type: "ended", end: { state: "interrupted" } });
});

test("a gateway that never answers the close does not hold it up", async () => {
  await using served = await ServedWorkspace.start();
  await using peer = await served.attach();
  peer.socket.pause();
  await served.server.close();
  peer.socket.resume();
  await eventually(() => expect(peer.socket.readyState).toBe(peer.socket.CLOSED));
});

test("a socket path that is taken is an error that says so", async () => {
  await using served = await ServedWorkspace.start();
  const second = new GatewayServer(served.space.configuration, served.space.workspace, served.space.log);
  await expect(second.start()).rejects.toThrow("EADDRINUSE");
});
