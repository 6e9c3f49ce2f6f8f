import { setTimeout as pause } from "node:timers/promises";
import type { ClientFunctions } from "./client-functions.ts";
import type { ControlBody } from "./fake-host.ts";
import type { TurnOutcome } from "./result-line.ts";
import type { TurnOutput } from "./turn-output.ts";

/** What a directive is run with. */
interface DirectiveContext {
  readonly output: TurnOutput;
  /** What follows the directive's name on its line. */
  readonly argument: string;
  /** Answers as if there were no directive. */
  readonly answer: () => Promise<void>;
  /** What the host offers. */
  readonly functions: ClientFunctions;
  /** Asks the host whether it may make a call; undefined where the host is not there to be asked. */
  readonly mayUse: ((signal: AbortSignal, request: ControlBody) => Promise<ControlBody>) | undefined;
  /** What the host set, as JSON: its `initialize` and the effort. */
  readonly settings: () => string;
  /** Takes up within the turn what came meanwhile; returns its texts. */
  readonly takeUp: () => readonly string[];
  /** From now on neither interrupts nor `end_session` are heard. */
  readonly ignoreInterrupts: () => void;
}

/** Says one turn; returns an outcome where it is not the regular one. */
export type Directive = (context: DirectiveContext) => Promise<TurnOutcome | void>;

/** Waits until it is aborted, or the process ends. */
export async function forever(signal?: AbortSignal): Promise<void> {
  // A timer, since a pending promise alone would let the process end.
  await pause(2 ** 31 - 1, undefined, signal === undefined ? {} : { signal });
}
