import { expect, test } from "vitest";
import { InOrder } from "../../src/turn/in-order.ts";

function start() {
  const said: string[] = [];
  const order = new InOrder();
  return { said, order, say: (word: string) => order.add(() => said.push(word)) };
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
