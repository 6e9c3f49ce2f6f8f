import type { Ask } from "./ask.ts";
import { refuse } from "./read-shape.ts";
import { isBinding } from "./required-call.ts";

/** Without the functions where none may be called. */
export function withoutIdleTools(ask: Ask): Ask {
  return ask.toolChoice.type === "none" ? { ...ask, tools: [] } : ask;
}

/** Without instructions, for an agent that is given none by a client. */
export function withoutInstructions(ask: Ask): Ask {
  if (ask.instructions === undefined) return ask;
  return { ...ask, instructions: undefined, ignored: [...ask.ignored, "instructions"] };
}

/**
 * What a `command` agent can be asked: it has no place for instructions, functions and effort, so they are named as
 * ignored. Throws `invalid_request` for what it would have to keep to.
 */
export function fitToCommand(ask: Ask): Ask {
  if (ask.answerSchema !== undefined)
    refuse(
      "the format of the answer",
      "this agent answers in text only: leave out the JSON format, or ask a headless agent",
    );
  if (isBinding(ask.toolChoice))
    refuse("tool_choice", "this agent calls no functions of a client: leave it out, or ask a headless agent");
  if (
    ask.messages.some(
      (message) => message.role !== "assistant" && message.parts.some(({ type }) => type !== "text"),
    )
  )
    refuse("messages", "this agent takes text only: leave out images and files, or ask a headless agent");
  const ignored = [
    ...(ask.tools.length === 0 ? [] : ["tools"]),
    ...(ask.effort === undefined ? [] : ["effort"]),
  ];
  const rest = withoutInstructions(ask);
  return { ...rest, tools: [], effort: undefined, ignored: [...rest.ignored, ...ignored] };
}
