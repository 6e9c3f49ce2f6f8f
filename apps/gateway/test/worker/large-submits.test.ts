import { randomUUID } from "node:crypto";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { WorkerLink } from "../../src/worker/worker-link.ts";
import { FakeWorker } from "../support/fake-worker.ts";

expectClean();

const MIB = 1024 * 1024;
const hash = "0".repeat(64);

test("twenty prompts of a megabyte at once stay below a worker's bound for one message", async () => {
  await using folder = await tempFolder();
  const answer = { workspace: "demo", epoch: 1, socketPath: folder.join("w.sock") };
  const worker = await FakeWorker.listen(answer, { maxPayload: 2 * MIB });
  const link = await WorkerLink.open({
    answer,
    gateway: { gateway: 1, fence: 1 },
    answerMs: 1_000,
    onAccountHeld: () => {},
  });
  const turns = Array.from({ length: 20 }, () => randomUUID());
  const ends: string[] = [];
  const over = turns.map(async (turn) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const request = { caller: hash, body: hash, prompt: hash };
    const session = { id: turn, key: turn, agent: "echo", scope: hash };
    link.submit(
      { type: "submit", turn, request, session, prompt: "x".repeat(MIB), needsMemory: false },
      {
        onAccepted: () => {},
        onEvent: () => {},
        onRefused: ({ code }) => resolve(void ends.push(code)),
        onEnded: (_, { state }) => resolve(void ends.push(state)),
        onGone: () => resolve(void ends.push("gone")),
        onLost: () => resolve(void ends.push("lost")),
      },
    );
    await promise;
  });
  link.cancel(turns[0]!, "what is sent after a submit arrives after it");
  for (const turn of turns) {
    const submit = await worker.next("submit");
    expect(submit.turn).toBe(turn);
    worker.answer(submit, "ok");
  }
  await Promise.all(over);
  expect(ends).toEqual(turns.map(() => "completed"));
  expect(await worker.next("cancel_turn")).toMatchObject({ turn: turns[0] });
  await link.close();
  await worker.close();
});
