import { randomUUID } from "node:crypto";
import type { AskSettlement } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { AskRequest } from "../../src/asks/ask-request.ts";
import { WorkspaceAsks } from "../../src/asks/workspace-asks.ts";
import { TurnAsks } from "../../src/turn/turn-asks.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { testSubmit } from "../support/test-submit.ts";
import { commandAgent } from "../support/test-workspace.ts";

expectClean();

const request: AskRequest = { kind: "permission", tool: "Bash", title: "Bash", input: {}, always: [] };
const order = testSubmit(randomUUID(), "hi");

/** The asks of a run, each told at once where that may be. */
function start() {
  const workspace = new WorkspaceAsks(new LogRecorder());
  const settings = commandAgent("x");
  const settled: AskSettlement[] = [];
  const asks: TurnAsks = new TurnAsks({
    settings,
    asks: workspace,
    onNext: () => void asks.takeNext("in_answer"),
    onSettled: (settlement) => void settled.push(settlement),
  });
  /** Asks, and has that settled. */
  const settle = async (by: "deadline" | "api") => {
    const pending = asks.ask(request, order);
    pending.withdraw(by);
    return pending.verdict;
  };
  return { asks, workspace, settled, settle };
}

test("a person's verdict begins the count of unanswered questions anew", async () => {
  const { asks, settled, settle } = start();
  for (const by of ["deadline", "api", "deadline", "deadline"] as const) await settle(by);
  expect(settled).toHaveLength(4);
  const { verdict } = asks.ask(request, order);
  expect(await verdict).toMatchObject({
    behavior: "deny",
    message: expect.stringContaining("nobody answered") as string,
  });
  expect(settled).toHaveLength(4);
  asks.goOn({ behavior: "deny" });
  await settle("api");
  expect(settled).toHaveLength(5);
});

test("who moved on is asked nothing: what is open and what comes is denied", async () => {
  const { asks, workspace } = start();
  const [first, second] = [asks.ask(request, order), asks.ask(request, order)];
  asks.moveOn();
  const message = "the user has gone on to something else";
  expect(await Promise.all([first.verdict, second.verdict, asks.ask(request, order).verdict])).toEqual(
    Array.from({ length: 3 }, () => ({ behavior: "deny", message })),
  );
  expect(workspace.list()).toEqual([]);
});

test("the deadline of one that waits for its turn counts from when another one was told", async () => {
  const { asks, workspace } = start();
  asks.ask(request, order);
  const later = asks.ask(request, order);
  await new Promise((resolve) => setTimeout(resolve, 10));
  asks.last?.settle({ behavior: "allow" }, "api");
  asks.ask(request, order);
  await Promise.resolve();
  const [second, third] = workspace.list();
  expect([second?.toldAt !== undefined, third?.toldAt]).toEqual([true, undefined]);
  expect(third!.deadlineAt).toBeGreaterThanOrEqual(second!.deadlineAt);
  later.withdraw();
  asks.moveOn();
});
