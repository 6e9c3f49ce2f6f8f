import * as z from "zod";

/**
 * The plugin's hook that waits for a verdict is ended by Claude Code after two hours (`packages/claude-plugin/hooks`), in
 * which another ask may come first.
 */
const CHANNEL_DEADLINE_MS = 3_540_000;

const deadline = (maxMs: number) =>
  z
    .number()
    .int()
    .min(1_000)
    .max(maxMs)
    .default(600_000)
    .describe("How long a person may take, in ms; then it is denied.");
const WAYS = ["chat", "api", "cli"] as const;

const common = {
  mode: z
    .enum(["hold", "chat"])
    .default("hold")
    .describe(
      "What an answer does when its agent asks: hold keeps it open till there is a verdict; chat ends it with the question, and the session's next message is the verdict.",
    ),
  deadlineMs: deadline(604_800_000),
  by: z
    .array(z.enum(WAYS))
    .min(1, "name at least one of chat, api and cli; permissionMode: dontAsk asks nobody")
    .default([...WAYS])
    .describe("By which ways a person may answer: in the chat, over the API, with the CLI."),
};

const Rule = z
  .string()
  .regex(
    /^[^\s()]+(?:\(.+\))?$/s,
    "write a rule as Claude Code has it: a tool (Read), or a tool with a pattern, Bash(git status:*)",
  );

/** What becomes of what Claude Code asks. */
export const HeadlessAsks = z.strictObject({
  ...common,
  allow: z
    .array(Rule)
    .default([])
    .describe(
      'Rules of what is allowed without asking, in Claude Code\'s form, such as "Bash(git status:*)".',
    ),
  deny: z.array(Rule).default([]).describe("Rules of what is denied without asking, in the same form."),
});
export type HeadlessAsks = z.output<typeof HeadlessAsks>;

/** The same of an interactive Claude Code, which does not wait as long. */
export const ChannelAsks = HeadlessAsks.extend({ deadlineMs: deadline(CHANNEL_DEADLINE_MS) });

const ToolName = z
  .string()
  .regex(/^[^\s()]+$/, "name a tool; rules with parentheses are for Claude Code only");

/** What becomes of what any other program asks. */
export const CommandAsks = z.strictObject({
  ...common,
  allow: z.array(ToolName).default([]).describe("Tools that are allowed without asking."),
  deny: z.array(ToolName).default([]).describe("Tools that are denied without asking."),
});
export type CommandAsks = z.output<typeof CommandAsks>;
