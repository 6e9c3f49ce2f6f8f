import { expect, test } from "vitest";
import { parseClaudeLine } from "../../../src/drivers/headless/claude-line.ts";

test.for(["", "not json {", "null", "42", '"text"', "[]", "{}", '{"type":7}', '{"type":"result"}'])(
  "%j is not a line of Claude's",
  (text) => {
    expect(parseClaudeLine(text)).toBeUndefined();
  },
);

test.for(["task_started", "tool_progress", "conversation_reset", "a_type_of_tomorrow"])(
  "a line of type %s is read as another",
  (type) => {
    expect(parseClaudeLine(JSON.stringify({ type, whatever: [1] }))).toEqual({ type: "other" });
  },
);

test("fields that nobody knows yet change nothing", () => {
  const text = '{"type":"system","subtype":"init","tools":["Bash"],"new_field":{"a":1}}\r';
  expect(parseClaudeLine(text)).toMatchObject({ type: "system", subtype: "init" });
});
