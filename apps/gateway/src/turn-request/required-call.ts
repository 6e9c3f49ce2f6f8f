import type { Prompt, Submit } from "@synthesis/protocol";
import type { ToolChoice } from "./turn-request.ts";
import { withLine } from "./prompt-parts.ts";

/** A choice that an answer can fail to meet. */
export type BindingChoice = Extract<ToolChoice, { type: "required" | "named" }>;

/** The call that the worker is to see to. */
export function demandedCall(choice: BindingChoice): NonNullable<Submit["mustCall"]> {
  return choice.type === "named" ? { name: choice.name } : {};
}

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
