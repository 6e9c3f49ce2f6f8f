import * as z from "zod";

/** The name under which Claude Code's hooks call this server. It is not listed, so that Claude never sees it. */
export const HOOK_TOOL = "hook";

/** Claude Code fills an object into a hook's argument as its JSON, and what is not there as nothing. */
const json = z.string().transform((text, context): unknown => {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "not JSON" });
    return z.NEVER;
  }
});
const toolInput = json.pipe(z.record(z.string(), z.unknown()));

/** What `hooks/hooks.json` says of each event. */
export const HookEvent = z.discriminatedUnion("event", [
  z.object({ event: z.literal("UserPromptSubmit"), prompt: z.string() }),
  z.object({ event: z.literal("PreToolUse"), tool: z.string() }),
  z.object({
    event: z.literal("PermissionRequest"),
    tool: z.string(),
    input: toolInput,
    suggestions: json.pipe(z.array(z.unknown()).default([])),
  }),
  z.object({ event: z.literal("PostToolUse"), tool: z.string(), input: toolInput }),
  z.object({ event: z.literal("Stop"), text: z.string() }),
  z.object({ event: z.literal("StopFailure"), error: z.string(), details: z.string(), text: z.string() }),
]);
export type HookEvent = z.infer<typeof HookEvent>;

/** What Claude Code takes for an answer; empty: go on as without the hook. */
export type HookOutput = Readonly<Record<string, unknown>>;
