import * as z from "zod";
import { WireError } from "./wire-error.ts";

/** Tokens of one turn as Claude's main loop reported them. */
export const Usage = z.object({
  inputTokens: z.number().int().nonnegative(),
  cachedInputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  /** Of `outputTokens`. */
  reasoningTokens: z.number().int().nonnegative().optional(),
});
export type Usage = z.infer<typeof Usage>;

/** Why the answer stopped, in OpenAI's words. */
export const FinishReason = z.enum(["stop", "length", "content_filter", "tool_calls"]);
export type FinishReason = z.infer<typeof FinishReason>;

/**
 * How a turn ended; each accepted turn has exactly one. `interrupted`: it was cut and may have had effects,
 * so nothing runs it again by itself.
 */
export const TurnEnd = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("completed"),
    finishReason: FinishReason,
    usage: Usage.optional(),
    costUsd: z.number().nonnegative().optional(),
  }),
  z.object({ state: z.literal("failed"), error: WireError }),
  z.object({ state: z.literal("cancelled"), error: WireError }),
  z.object({ state: z.literal("interrupted"), error: WireError }),
]);
export type TurnEnd = z.infer<typeof TurnEnd>;
