import { fileURLToPath } from "node:url";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { commandAgent, TestWorkspace } from "../../support/test-workspace.ts";

expectClean();

const agents = { lossy: commandAgent(fileURLToPath(new URL("./lossy-agent.ts", import.meta.url))) };
const lossy = { agent: "lossy" };

test.for([
  { title: "parts are", prompt: "lose a part", whole: "ABCDEF", connections: 3 },
  { title: "the end is", prompt: "lose the end", whole: "whole", connections: 2 },
])(
  "P-7 where $title lost with the connection, the answer is whole",
  async ({ prompt, whole, connections }) => {
    await using space = await TestWorkspace.start({ agents, limits: { reconnectMs: 10_000 } });
    const { outcome, answer } = await space.run(prompt, lossy);
    expect(answer).toBe(whole);
    expect(outcome).toEqual({ state: "completed", finishReason: "stop" });
    expect(space.log.fieldsOf("plugin.connected")).toHaveLength(connections);
    expect((await space.run(prompt, lossy)).answer).toBe(whole);
    expect(space.workspace.status()).toMatchObject({ processes: 1, unsolicited: 0 });
  },
);

test("P-11 an answer of 6 MiB that was written as one text arrives", async () => {
  await using space = await TestWorkspace.start({ agents });
  const { outcome, answer } = await space.run("say much", lossy);
  expect(outcome.state).toBe("completed");
  expect(answer.length).toBe(6 * 1024 * 1024);
  expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1);
});

test("P-19 an answer of more parts than a connection may send in time arrives whole", async () => {
  await using space = await TestWorkspace.start({ agents });
  const { outcome, answer } = await space.run("say often", lossy);
  expect(outcome.state).toBe("completed");
  expect(answer).toBe(Array.from({ length: 30_000 }, (_, index) => `${index + 1} `).join(""));
  expect(space.log.fieldsOf("plugin.connected")).toHaveLength(1);
});
