import { WireFailure, type ErrorCode } from "@synthesis/protocol";
import { expect, test } from "vitest";
import { QueriedWorkers } from "../src/queried-workers.ts";

const failure = (code: ErrorCode) => new WireFailure(code, code);
const unknown = failure("ask_not_found");
const silent = failure("worker_unavailable");
const hung = new Promise<never>(() => {});

type Answer = string | undefined | Error | Promise<never>;

/** Workers that answer so, by workspace; `Error`: that it rejects with. */
function workersWith(answers: Readonly<Record<string, Answer>>, named?: string) {
  const running = Object.keys(answers).map((workspace) => ({ workspace, path: `/srv/${workspace}` }));
  const workers = new QueriedWorkers({
    named,
    running: async () => Promise.resolve(running),
    connect: async (asked) => Promise.resolve(asked.replace("/srv/", "")),
  });
  const query = async (workspace: string): Promise<string | undefined> => {
    const answer = await answers[workspace];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return {
    query: async () => workers.query(query),
    findAll: async () => workers.findAll("ask_not_found", query),
    findFirst: async () => workers.findFirst("ask_not_found", query),
  };
}

test("each worker is queried, by its path; who does not answer is named", async () => {
  expect(await workersWith({ a: "A", b: silent, c: "C" }).query()).toEqual({
    answers: ["A", "C"],
    failures: [{ workspace: "b", error: silent }],
  });
});

test("where one is named no other is, and its failure is the failure", async () => {
  expect(await workersWith({ a: "A", b: silent }, "a").query()).toEqual({ answers: ["A"], failures: [] });
  for (const how of ["query", "findAll", "findFirst"] as const)
    await expect(workersWith({ a: "A", b: silent }, "b")[how]()).rejects.toBe(silent);
  expect(await workersWith({ a: unknown }, "a").findFirst()).toEqual({ answers: [], failures: [] });
  expect(await workersWith({ a: "A" }, "a").findFirst()).toEqual({ answers: ["A"], failures: [] });
});

test("all are found that have it, and who failed may have it", async () => {
  const failed = failure("internal_error");
  expect(
    await workersWith({ a: "A", b: unknown, c: undefined, d: "D", e: silent, f: failed }).findAll(),
  ).toEqual({
    answers: ["A", "D"],
    failures: [
      { workspace: "e", error: silent },
      { workspace: "f", error: failed },
    ],
  });
});

test("the first that has it is not delayed by who says nothing, nor hidden by who fails", async () => {
  const failed = failure("internal_error");
  const workers = workersWith({ a: hung, b: failed, c: new Error("no wire failure"), d: unknown, e: "E" });
  expect(await workers.findFirst()).toEqual({ answers: ["E"], failures: [] });
});

test("what a worker refuses that has it is the answer, though another says nothing", async () => {
  const settled = failure("ask_settled");
  await expect(workersWith({ a: hung, b: unknown, c: settled }).findFirst()).rejects.toBe(settled);
});

test("where none has it, who failed may have it", async () => {
  expect(await workersWith({ a: unknown, b: silent, c: undefined }).findFirst()).toEqual({
    answers: [],
    failures: [{ workspace: "b", error: silent }],
  });
});
