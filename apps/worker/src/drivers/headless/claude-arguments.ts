import type { AgentSettings } from "@synthesis/config";
import type { TurnTrace } from "./turn-trace.ts";

export type HeadlessSettings = Extract<AgentSettings, { driver: "headless" }>;

/** Claude's side of a session: its id, and whether a transcript of it should be there. */
export interface ClaudeSession {
  readonly id: string;
  readonly resume: boolean;
  /** Of the turn that the process is opened to finish: what the transcript had of it, once the last process was dead. */
  readonly cutTurn: TurnTrace | undefined;
  /** The model that the process starts with, where it is not the agent's: that of a turn which it finishes. */
  readonly startModel?: string | undefined;
}

/** The arguments of a persistent stream-json Claude. Everything else about a turn travels over stdin. */
export function claudeArguments(settings: HeadlessSettings, session: ClaudeSession): string[] {
  const model = session.startModel ?? settings.model;
  return [
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose", // compulsory with stream-json output
    "--include-partial-messages",
    `--permission-mode=${settings.permissionMode}`,
    ...(model === undefined ? [] : [`--model=${model}`]),
    session.resume ? "--resume" : "--session-id",
    session.id,
  ];
}
