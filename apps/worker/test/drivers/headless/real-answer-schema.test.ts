import { expectClean, MessagesStandIn, reply } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ClaudeRig } from "./claude-rig.ts";

expectClean();

const timeout = 60_000;
const answerSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: { n: { type: "number" } },
  required: ["n"],
};
const plainTurn = {
  id: "",
  prompt: "",
  model: undefined,
  effort: undefined,
  instructions: undefined,
  tools: [],
  resumes: false,
  shown: "",
} as const;
const handIn = (input: Record<string, unknown>, text = "") =>
  reply.toolUse({ name: "StructuredOutput", input }, { text });

test("an answer that has to meet a schema is that JSON alone, told once", { timeout }, async () => {
  await using api = await MessagesStandIn.start();
  await using rig = await ClaudeRig.start({ api });
  api.next(handIn({ n: "three" }, "I think"), handIn({ n: 3 }));
  const turn = rig.run("how many?", { answerSchema });
  expect(await turn.end).toMatchObject({ state: "completed", finishReason: "stop" });
  expect([turn.text, turn.reasoning]).toEqual(['{"n":3}', "I think"]);
  const asked = { ...plainTurn, answerSchema };
  expect(rig.process.fits(asked)).toBe(true);
  expect(rig.process.fits({ ...asked, answerSchema: undefined })).toBe(false);
  expect(rig.process.fits({ ...asked, answerSchema: { type: "object" } })).toBe(false);
});

test("without an answer that meets it the turn fails", { timeout }, async () => {
  await using api = await MessagesStandIn.start();
  await using rig = await ClaudeRig.start({ api });
  api.script(() => reply.text("three"));
  const turn = rig.run("how many?", { answerSchema });
  expect(await turn.end).toMatchObject({ state: "failed", error: { code: "answer_format_unmet" } });
  expect(turn.text).toBe("");
});

test(
  "the conversation goes on without a schema, and with another one, in other processes",
  { timeout },
  async () => {
    await using api = await MessagesStandIn.start();
    await using rig = await ClaudeRig.start({ api });
    await rig.run("hello").end;
    for (const key of ["a", "b"]) {
      const schema = { type: "object", properties: { [key]: { type: "number" } }, required: [key] };
      await rig.kill();
      rig.open({ launch: { answerSchema: schema } });
      api.next(handIn({ [key]: 1 }));
      const turn = rig.run("json", { answerSchema: schema });
      expect(await turn.end).toMatchObject({ state: "completed" });
      expect(turn.text).toBe(`{"${key}":1}`);
    }
    await rig.kill();
    rig.open();
    const turn = rig.run("text again");
    await turn.end;
    expect(turn.text).toBe("standin says: text again");
    expect(api.conversations).toHaveLength(4);
  },
);

test.for([
  {
    title: "that is none",
    schema: { type: "nonsense" },
    says: "the JSON Schema for the answer cannot be used",
  },
  { title: "too long to hand over", schema: { description: "x".repeat(200_000) }, says: "too long" },
])("a schema $title is the request's fault", { timeout }, async ({ schema, says }) => {
  await using api = await MessagesStandIn.start();
  await using rig = await ClaudeRig.start({ api });
  const turn = rig.run("json", { answerSchema: schema });
  expect(await turn.end).toMatchObject({
    state: "failed",
    error: { code: "invalid_request", message: expect.stringContaining(says) },
  });
});
