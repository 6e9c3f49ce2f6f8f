import type { AgentSettings } from "@synthesis/config";
import type { AnswerSchema } from "../agent-process.ts";
import { allowedSettings } from "../claude/allowed-settings.ts";
import { ATTACH_TOOL, offersAttachTool } from "./file-server.ts";
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
  /** Its last place: a process that resumes there takes the client's functions afresh, also where they were redefined. */
  readonly resumeAt?: string | undefined;
  /** The place of another session that this new one branches off from: its id, and the `anchor` of a process there. */
  readonly branch?: { readonly from: string; readonly at: string } | undefined;
  /** One question beside all conversations: nothing is kept of it, and Claude has no tools of its own. */
  readonly isStateless?: true | undefined;
  /** What a person allowed for good in its session, as it is written in Claude Code's settings. */
  readonly allowed?: readonly string[];
}

/**
 * The arguments of a persistent stream-json Claude. Everything else about a turn travels over stdin; the schema
 * does not, since Claude Code checks it only here.
 */
export function claudeArguments(
  settings: HeadlessSettings,
  session: ClaudeSession,
  answerSchema: AnswerSchema | undefined,
): string[] {
  const model = session.startModel ?? settings.model;
  return [
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose", // compulsory with stream-json output
    "--include-partial-messages",
    `--permission-mode=${settings.permissionMode}`,
    ...permissionArguments(settings, session),
    ...(model === undefined ? [] : [`--model=${model}`]),
    ...(answerSchema === undefined ? [] : [`--json-schema=${schemaText(answerSchema)}`]),
    ...(session.isStateless ? BARE : []),
    ...sessionArguments(session),
  ];
}

/** What Claude may not do by itself it asks this process, unless it may do anything or has no tools. */
function permissionArguments(settings: HeadlessSettings, session: ClaudeSession): string[] {
  const { permissionMode, asks } = settings;
  const isAsked = permissionMode !== "bypassPermissions" && !session.isStateless;
  return [
    ...(isAsked ? ["--permission-prompt-tool=stdio"] : []),
    ...(offersAttachTool(settings, session) ? [`--allowedTools=${ATTACH_TOOL}`] : []),
    ...asks.allow.map((rule) => `--allowedTools=${rule}`),
    ...asks.deny.map((rule) => `--disallowedTools=${rule}`), // which has the last word
    ...allowedSettings(session.allowed),
  ];
}

/** No tools, commands and project settings of its own, and nothing kept. */
const BARE = [
  "--tools=",
  "--strict-mcp-config",
  "--disable-slash-commands",
  "--setting-sources=user",
  "--no-session-persistence",
];

/** A branch is a fork: without it Claude Code would cut off what follows that place in the other session, for good. */
function sessionArguments({ id, resume, resumeAt, branch }: ClaudeSession): string[] {
  if (resume) return ["--resume", id, ...(resumeAt === undefined ? [] : ["--resume-session-at", resumeAt])];
  if (branch === undefined) return ["--session-id", id];
  return ["--resume", branch.from, "--resume-session-at", branch.at, "--fork-session", "--session-id", id];
}

/** Claude Code refuses a schema that names a draft it does not know (measured with 2.1.330). */
function schemaText({ $schema: _draft, ...schema }: AnswerSchema): string {
  return JSON.stringify(schema);
}
