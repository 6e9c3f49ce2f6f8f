import { expect, test } from "vitest";
import { InOrder } from "../../src/turn/in-order.ts";

function start() {
  const said: string[] = [];
  const failures: unknown[] = [];
  const order = new InOrder((error) => failures.push(error));
  return { said, failures, order, say: (word: string) => order.add(() => said.push(word)) };
}

test("at once as long as nothing is waited for", async () => {
  const { said, order, say } = start();
  await order.allDone;
  say("a");
  expect(said).toEqual(["a"]);
});

test("what comes after a place that is kept waits for it, several of them in their own order", async () => {
  const { said, order, say } = start();
  say("a");
  const first = order.reserve();
  say("c");
  const second = order.reserve();
  say("e");
  let isDone = false;
  const done = order.allDone.then(() => (isDone = true));
  second(() => said.push("d"));
  await Promise.resolve();
  expect([said, isDone]).toEqual([["a"], false]);
  first(() => said.push("b"));
  expect(said).toEqual(["a", "b", "c", "d", "e"]);
  await done;
  say("f");
  expect(said.at(-1)).toBe("f");
});

test("what is handed in while something is done comes after what waits", () => {
  const { said, order, say } = start();
  const place = order.reserve();
  say("b");
  place(() => {
    said.push("a");
    say("c");
  });
  expect(said).toEqual(["a", "b", "c"]);
});

const fault = new Error("a fault");
const fail = () => {
  throw fault;
};

test("what throws in its place is the end: nothing that comes after it is done, and who waits is told", async () => {
  const { said, failures, order, say } = start();
  const [first, second] = [order.reserve(), order.reserve()];
  say("c");
  const done = order.allDone;
  first(fail);
  second(() => said.push("b"));
  say("d");
  order.reserve()(() => said.push("e"));
  expect([said, failures]).toEqual([[], [fault]]);
  await expect(done).rejects.toBe(fault);
  await expect(order.allDone).rejects.toBe(fault);
});

test("so is what throws at once", async () => {
  const { said, failures, order, say } = start();
  say("a");
  order.add(fail);
  say("b");
  expect([said, failures]).toEqual([["a"], [fault]]);
  await expect(order.allDone).rejects.toBe(fault);
});
