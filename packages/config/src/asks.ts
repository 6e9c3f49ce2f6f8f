import * as z from "zod";

const Deadline = z.number().int().min(1_000).max(604_800_000).default(600_000);
const WAYS = ["chat", "api", "cli"] as const;

const common = {
  mode: z
    .enum(["hold", "chat"])
    .default("hold")
    .describe(
      "What an answer does when its agent asks: hold keeps it open till there is a verdict; chat ends it with the question, and the session's next message is the verdict.",
    ),
  deadlineMs: Deadline.describe("How long a person may take, in ms; then it is denied."),
  by: z
    .array(z.enum(WAYS))
    .default([...WAYS])
    .describe("By which ways a person may answer: in the chat, over the API, with the CLI."),
};

/** What becomes of what Claude Code asks. */
export const HeadlessAsks = z.strictObject({
  ...common,
  allow: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Rules of what is allowed without asking, in Claude Code\'s form, such as "Bash(git status:*)".',
    ),
  deny: z
    .array(z.string().min(1))
    .default([])
    .describe("Rules of what is denied without asking, in the same form."),
});
export type HeadlessAsks = z.output<typeof HeadlessAsks>;

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
