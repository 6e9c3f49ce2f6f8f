import { copyFile, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { openStream, streamed } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const examples = join(import.meta.dirname, "..", "examples");
const agents = {
  counter: { workspace: "alpha", driver: "command", command: ["{node}", "agent.mjs"] },
  words: { workspace: "alpha", driver: "command", command: ["python3", "agent.py"] },
};

/** A running instance that has the examples in its workspace, as their READMEs tell it. */
async function withExamples(): Promise<Synthesis> {
  const synthesis = await Synthesis.start({ agents });
  for (const file of ["plugin-node/agent.mjs", "plugin-python/agent.py"]) {
    await copyFile(join(examples, file), synthesis.folder.join("alpha", basename(file)));
  }
  return synthesis;
}

test("the example in Node answers with what a command says of the message", async () => {
  await using synthesis = await withExamples();
  const answer = await ask(synthesis, { model: "counter", session: "s", say: "one two\nthree; rm -rf *" });
  expect(answer.content?.trim().split(/\s+/)).toEqual(["1", "6", "23"]);
  const [agent] = synthesis.agents("alpha");
  const umlauts = await streamed(synthesis, { model: "counter", session: "s", say: "ü".repeat(200_000) });
  expect(umlauts).toMatchObject({ isDone: true });
  expect(umlauts.content.trim().split(/\s+/)).toEqual(["0", "1", "400000"]);
  expect(synthesis.agents("alpha").map(({ pid }) => pid)).toEqual([agent?.pid]);
});

test("the example in Python remembers its conversation, and only that", async () => {
  await using synthesis = await withExamples();
  const say = async (session: string, text: string) =>
    (await ask(synthesis, { model: "words", session, say: text })).content;
  expect(await say("a", "Ei, ei Über")).toBe("ei: 2\nüber: 1\n3 words so far");
  expect(await say("b", "x")).toBe("x: 1\n1 words so far");
  expect(await say("a", "über über")).toBe("über: 3\nei: 2\n5 words so far");
  const long = await streamed(synthesis, { model: "words", session: "b", say: "x ".repeat(70_000) });
  expect(long.content).toBe("x: 70001\n70001 words so far");
});

test("clients that leave stop the examples, and the session goes on", async () => {
  await using synthesis = await withExamples();
  for (const model of ["counter", "words"]) {
    const stream = await openStream(synthesis, { model, session: "s", say: "a b ".repeat(500_000) });
    stream.leave();
    expect(await ask(synthesis, { model, session: "s", say: "z" })).toMatchObject({ status: 200 });
  }
});

test.for(["plugin-node", "plugin-python"])(
  "the README of %s names its file and its command",
  async (name) => {
    const text = await readFile(join(examples, name, "README.md"), "utf8");
    const { command } = name === "plugin-node" ? agents.counter : agents.words;
    expect(text).toContain(`command: ${JSON.stringify(command).replaceAll(",", ", ")}`);
  },
);
