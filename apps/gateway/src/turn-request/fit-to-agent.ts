import type { TurnRequest } from "./turn-request.ts";
import { refuse } from "./read-shape.ts";
import { isBinding } from "./required-call.ts";

/** Without the functions where none may be called. */
export function withoutIdleTools(turnRequest: TurnRequest): TurnRequest {
  return turnRequest.toolChoice.type === "none" ? { ...turnRequest, tools: [] } : turnRequest;
}

/** Without instructions, for an agent that is given none by a client. */
export function withoutInstructions(turnRequest: TurnRequest): TurnRequest {
  if (turnRequest.instructions === undefined) return turnRequest;
  return { ...turnRequest, instructions: undefined, ignored: [...turnRequest.ignored, "instructions"] };
}

/**
 * What a `command` agent can be asked: it has no place for instructions, functions and effort, so they are named as
 * ignored. Throws `invalid_request` for what it would have to keep to.
 */
export function fitToCommand(turnRequest: TurnRequest): TurnRequest {
  if (turnRequest.answerSchema !== undefined)
    refuse(
      "the format of the answer",
      "this agent answers in text only: leave out the JSON format, or ask a headless agent",
    );
  if (isBinding(turnRequest.toolChoice))
    refuse("tool_choice", "this agent calls no functions of a client: leave it out, or ask a headless agent");
  const ignored = [
    ...(turnRequest.tools.length === 0 ? [] : ["tools"]),
    ...(turnRequest.effort === undefined ? [] : ["effort"]),
  ];
  const rest = withoutInstructions(turnRequest);
  return { ...rest, tools: [], effort: undefined, ignored: [...rest.ignored, ...ignored] };
}
