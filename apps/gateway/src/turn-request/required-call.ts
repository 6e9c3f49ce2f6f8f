import type { Prompt, ToolCallDelta } from "@synthesis/protocol";
import type { AnswerOutput } from "../turn/answer-output.ts";
import type { ToolChoice } from "./turn-request.ts";
import { withLine } from "./prompt-parts.ts";

/** A choice that an answer can fail to meet. */
export type BindingChoice = Extract<ToolChoice, { type: "required" | "named" }>;

/** Whether the agent must call a function. */
export function isBinding(choice: ToolChoice): choice is BindingChoice {
  return choice.type === "required" || choice.type === "named";
}

/** A prompt that says so: Claude itself cannot be bound to it. */
export function withChoice(prompt: Prompt, choice: ToolChoice): Prompt {
  if (!isBinding(choice)) return prompt;
  const what =
    choice.type === "named" ? `the function ${choice.name}` : "at least one of the client's functions";
  return withLine(prompt, `(In this answer you must call ${what}.)`);
}

/** The answer to a request with a binding choice: one that does not meet it ends as `tool_choice_unmet`. */
export function checkedOutput(output: AnswerOutput, choice: BindingChoice): AnswerOutput {
  const called = new Set<string>();
  const isMet = () => (choice.type === "named" ? called.has(choice.name) : called.size > 0);
  return {
    admitted: (facts) => output.admitted(facts),
    sessionReset: (why) => output.sessionReset(why),
    text: (text, seq) => output.text(text, seq),
    reasoning: (text, seq) => output.reasoning(text, seq),
    toolCall(call: ToolCallDelta, seq) {
      if (call.name !== undefined) called.add(call.name);
      output.toolCall(call, seq);
    },
    asked: (ask, seq) => output.asked(ask, seq),
    askSettled: (settlement, seq) => output.askSettled(settlement, seq),
    completed(end, seq) {
      if (isMet()) return output.completed(end, seq);
      const asked = choice.type === "named" ? `"${choice.name}"` : "any of the client's functions";
      const message = `the agent answered without calling ${asked}, which tool_choice demands: ask again, or leave the choice to it`;
      output.failed({ code: "tool_choice_unmet", message });
    },
    failed: (error) => output.failed(error),
  };
}
