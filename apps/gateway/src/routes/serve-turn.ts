import type { ServerResponse } from "node:http";
import type { AnswerOutput } from "../answer/answer-output.ts";
import { HeadedOutput } from "../answer/headed-output.ts";
import { namedFields } from "../turn-request/unknown-fields.ts";
import type { LiveTurn } from "../turn/live-turn.ts";
import type { LiveTurns } from "../turn/live-turns.ts";
import type { VanishPolicy } from "../turn/turn-readers.ts";

export interface ServeOptions {
  readonly turns: LiveTurns;
  readonly onVanish: VanishPolicy;
  /** The turn was made for an earlier request. */
  readonly isJoined: boolean;
  /** Names of what its request sent and has no effect; default: none. */
  readonly ignored?: readonly string[];
  /** Number of the last event that the client has; default: none. */
  readonly after?: number;
}

/** Gives a turn's answer to a client, as long as it is there. */
export function serveTurn(
  turn: LiveTurn,
  output: AnswerOutput,
  response: ServerResponse,
  { turns, onVanish, isJoined, ignored = [], after = 0 }: ServeOptions,
): void {
  const headed = new HeadedOutput(output, response, namedFields(ignored));
  const reader = turn.join(headed, onVanish, { isJoined, after });
  // The response, not the request: a request is closed as soon as its body is read.
  const onClose = () => {
    if (response.writableFinished) turn.taken(reader);
    turns.leave(turn, reader);
  };
  if (response.closed) onClose();
  else response.once("close", onClose);
}
