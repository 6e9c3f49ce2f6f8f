import { expect, test } from "vitest";
import { AnswerBlocks, type AnswerBlock } from "../../src/answer/answer-blocks.ts";

/** Blocks, and how they came about. */
function told(): { readonly blocks: AnswerBlocks; readonly events: string[] } {
  const events: string[] = [];
  const blocks = new AnswerBlocks({
    opened: ({ index, type }) => events.push(`${index} opens: ${type}`),
    grew: ({ index }, piece) => events.push(`${index} ${piece}`),
    closed: ({ index }) => events.push(`${index} closes`),
  });
  return { blocks, events };
}

const contents = ({ all }: AnswerBlocks) => all.map(({ type, content }: AnswerBlock) => [type, content]);

test("pieces of one kind are one block, and a new kind closes the one before", () => {
  const { blocks, events } = told();
  blocks.addReasoning("hm");
  blocks.addText("a");
  blocks.addText("b");
  blocks.addCall({ index: 0, id: "x", name: "f", arguments: "" });
  blocks.addCall({ index: 0, arguments: "{}" });
  blocks.close();
  expect(events).toEqual([
    "0 opens: reasoning",
    "0 hm",
    "0 closes",
    "1 opens: text",
    "1 a",
    "1 b",
    "1 closes",
    "2 opens: call",
    "2 {}",
    "2 closes",
  ]);
});

test("what the agent does while a call is being told stands behind the call, which stays in one piece", () => {
  const { blocks, events } = told();
  blocks.addCall({ index: 0, id: "x", name: "f", arguments: '{"a":' });
  blocks.addReasoning("[asks its API again]");
  blocks.addCall({ index: 0, arguments: "1}" });
  blocks.addCall({ index: 1, id: "y", name: "g", arguments: "{}" });
  blocks.addReasoning("last");
  blocks.close();
  expect(contents(blocks)).toEqual([
    ["call", '{"a":1}'],
    ["reasoning", "[asks its API again]"],
    ["call", "{}"],
    ["reasoning", "last"],
  ]);
  expect(events.slice(0, 4)).toEqual(["0 opens: call", '0 {"a":', "0 1}", "0 closes"]);
  expect(events.at(-1)).toBe("3 closes");
});

test("thinking and activity without end are cut, once, and the answer is not", () => {
  const blocks = new AnswerBlocks();
  for (let megabytes = 0; megabytes < 6; megabytes++) blocks.addReasoning("x".repeat(1024 * 1024));
  blocks.addText("the answer");
  blocks.close();
  const [reasoning, text] = blocks.all;
  expect(reasoning?.content.length).toBeLessThan(4.1 * 1024 * 1024);
  expect(reasoning?.content.split("left out")).toHaveLength(2);
  expect(text?.content).toBe("the answer");
});
