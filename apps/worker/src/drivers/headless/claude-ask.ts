import { oneLine } from "@synthesis/kit";
import type { AskVerdict } from "@synthesis/protocol";
import * as z from "zod";
import { answeredInput, questionAsk } from "../claude/question-ask.ts";
import type { AskRequest } from "../../asks/ask-request.ts";
import { elicitedAsk } from "./elicitation.ts";
import type { PermissionRule } from "../claude/permission-rule.ts";
import { sessionRules, wordsOfRule, type PermissionUpdate } from "../claude/session-rules.ts";

const Input = z.record(z.string(), z.unknown());

const CanUseTool = z.looseObject({
  subtype: z.literal("can_use_tool"),
  tool_name: z.string(),
  display_name: z.string().optional(),
  /** Of the call, in a few words; for some tools the model wrote it. */
  description: z.string().optional(),
  input: Input,
  permission_suggestions: z.array(z.unknown()).optional(),
});
type CanUseTool = z.infer<typeof CanUseTool>;

/** Something that Claude asks a person, and what it is answered. */
export interface ClaudeAsk {
  readonly request: AskRequest;
  /** What `always` allows beside the call. */
  readonly rules: readonly PermissionRule[];
  /** The body of the answer. */
  answer(verdict: AskVerdict): object;
}

/** What Claude asks with a control request; undefined where that is nothing to ask a person. */
export function claudeAsk(request: unknown, workspace: string): ClaudeAsk | undefined {
  const asked = CanUseTool.safeParse(request).data;
  if (asked === undefined) return elicitedAsk(request);
  const question = questionAsk(asked.tool_name, asked.input);
  if (question === undefined) return permissionAsk(asked, workspace);
  return {
    request: question,
    rules: [],
    answer: (verdict) =>
      verdict.behavior === "deny" ? denial(verdict) : allowance(answeredInput(question, verdict), []),
  };
}

function permissionAsk(asked: CanUseTool, workspace: string): ClaudeAsk {
  const { tool_name: tool, input, permission_suggestions: suggestions = [] } = asked;
  const isPlan = tool === "ExitPlanMode";
  const updates = isPlan ? [] : sessionRules(suggestions, workspace);
  const rules = updates.flatMap((update) => update.rules);
  const always = rules.map(wordsOfRule);
  return {
    request: { kind: isPlan ? "plan" : "permission", tool, title: titleOf(asked), input, always },
    rules,
    answer: (verdict) => {
      if (verdict.behavior === "deny") return denial(verdict);
      return allowance(input, verdict.behavior === "always" ? updates : []);
    },
  };
}

const MAX_TITLE = 200;
/** What a call is about, for people; by the names of the tools' inputs, the most telling first. */
const SUBJECTS = ["command", "file_path", "notebook_path", "url", "query", "pattern", "plan", "path"];

function titleOf({ tool_name, display_name, description, input }: CanUseTool): string {
  const subject = SUBJECTS.map((name) => input[name]).find(
    (value): value is string => typeof value === "string",
  );
  const name = display_name ?? tool_name;
  const about = subject ?? description;
  return oneLine(about === undefined ? name : `${name}: ${about}`, MAX_TITLE);
}

function denial({ message }: AskVerdict): object {
  return { behavior: "deny", message: message ?? "denied" };
}

function allowance(updatedInput: object, updates: readonly PermissionUpdate[]): object {
  return {
    behavior: "allow",
    updatedInput,
    ...(updates.length === 0 ? {} : { updatedPermissions: updates }),
  };
}
