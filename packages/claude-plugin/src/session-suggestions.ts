import * as z from "zod";

const Rules = z.object({
  type: z.literal("addRules"),
  rules: z.array(z.object({ toolName: z.string(), ruleContent: z.string().optional() })),
  behavior: z.literal("allow"),
});

/** Rules that Claude Code is to follow till its session ends. */
export interface SessionSuggestion extends z.output<typeof Rules> {
  readonly destination: "session";
}

/**
 * Of what Claude Code suggests beside yes and no: what to allow, for this session only. A person at the bridge never
 * changes its settings files or its permission mode.
 */
export function sessionSuggestions(suggestions: readonly unknown[]): SessionSuggestion[] {
  const rules = suggestions.flatMap((suggestion) => Rules.safeParse(suggestion).data ?? []);
  return rules.map((update) => ({ ...update, destination: "session" }));
}
