import type { AgentSettings } from "@synthesis/config";

export type HeadlessSettings = Extract<AgentSettings, { driver: "headless" }>;

/** Claude's side of a session: its id, and whether a transcript of it should be there. */
export interface ClaudeSession {
  readonly id: string;
  readonly resume: boolean;
}

/** The arguments of a persistent stream-json Claude. Everything else about a turn travels over stdin. */
export function claudeArguments(settings: HeadlessSettings, session: ClaudeSession): string[] {
  return [
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose", // compulsory with stream-json output
    "--include-partial-messages",
    `--permission-mode=${settings.permissionMode}`,
    ...(settings.model === undefined ? [] : [`--model=${settings.model}`]),
    session.resume ? "--resume" : "--session-id",
    session.id,
  ];
}
