import { randomUUID } from "node:crypto";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import type { AskRequest } from "../../src/asks/ask-request.ts";
import { WorkspaceAsks } from "../../src/asks/workspace-asks.ts";
import { defaultAsks } from "../support/default-asks.ts";
import { LogRecorder } from "../support/log-recorder.ts";
import { testCaller, testSubmit } from "../support/test-submit.ts";

expectClean();

const request: AskRequest = { kind: "permission", tool: "Bash", title: "Bash", input: {}, always: [] };

function codeOf(asks: WorkspaceAsks, id: string): unknown {
  try {
    return asks.find(id, testCaller);
  } catch (error) {
    return (error as { error: { code: string } }).error.code;
  }
}

test("of the last 1,000 verdicts who comes too late hears how it was; of older ones that there is none", () => {
  const asks = new WorkspaceAsks(new LogRecorder());
  const asking = { order: testSubmit(randomUUID(), "hi"), settings: defaultAsks };
  const ids = Array.from({ length: 1_001 }, () => {
    const ask = asks.open(request, asking, () => {});
    ask.settle({ behavior: "deny" }, "agent");
    return ask.info.id;
  });
  expect([codeOf(asks, ids[0]!), codeOf(asks, ids[1]!)]).toEqual(["ask_not_found", "ask_settled"]);
});
