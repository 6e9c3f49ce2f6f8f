import { fileURLToPath } from "node:url";
import { expectClean } from "@synthesis/testkit";
import { expect, test, vi } from "vitest";
import { TurnOutput } from "../../src/turn/turn-output.ts";
import { commandAgent, TestWorkspace } from "../support/test-workspace.ts";

expectClean();

const attaching = fileURLToPath(new URL("../support/attaching-agent.ts", import.meta.url));

/** A fault of ours where this text is told. */
function failAt(text: string): Disposable {
  const add = Reflect.get(TurnOutput.prototype, "add");
  return vi.spyOn(TurnOutput.prototype, "add").mockImplementation(function (this: TurnOutput, turn, event) {
    if ("text" in event && event.text.includes(text)) throw new Error("a fault");
    add.call(this, turn, event);
  });
}

const failed = { state: "failed", error: { code: "internal_error" } };
const file = { name: "made.txt", media_type: "text/plain", data: Buffer.from("a").toString("base64") };

test.for<[what: string, fault: string, told: string]>([
  ["a file", "made.txt", "before"],
  ["the text after a file", "after", "before\n\n[file: made.txt, text/plain]"],
  ["text", "before", ""],
])("where %s cannot be told the turn fails, and nothing is told in its place", async ([, fault, told]) => {
  await using space = await TestWorkspace.start({
    agents: { files: { ...commandAgent(attaching), files: "off" } },
  });
  const run = async (session: string, parts: readonly object[]) =>
    space.run(JSON.stringify(parts), { agent: "files", session });
  const replies = [
    { content: "before", final: false, attachments: [file] },
    { content: "after", final: false },
  ];
  {
    using _ = failAt(fault);
    // Whether the agent ends its turn or goes on for ever.
    for (const [session, parts] of [
      ["ending", [...replies, { content: "more" }]],
      ["endless", replies],
    ] as const) {
      const { outcome, answer } = await run(session, parts);
      expect([outcome, answer.trimEnd()]).toMatchObject([failed, told]);
    }
  }
  const cause = "Error: a fault";
  expect(space.log.fieldsOf("turn.not_run")).toMatchObject([{ cause }, { cause }]);
  expect((await run("next", [{ content: "again" }])).answer).toBe("again");
});
