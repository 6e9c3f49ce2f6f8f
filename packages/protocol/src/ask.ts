import * as z from "zod";

const AskId = z.string().min(1).max(128);

/** Plugin → worker: the agent wants to use a tool and needs a permission. Each `id` gets exactly one `verdict` (P-17). */
export const Ask = z.looseObject({
  type: z.literal("ask"),
  /** The plugin's name for it; said again with the same `id`, it is the same ask. */
  id: AskId,
  tool: z.string().max(256),
  /** What the tool would be called with. */
  input: z.record(z.string(), z.unknown()),
  /** The question in one sentence, for people. */
  title: z.string().max(1024).optional(),
  /** What the agent offers beside yes and no, in its own form: a verdict may name one by its place. */
  suggestions: z.array(z.unknown()).max(16).optional(),
  message_id: z.string().max(128).optional(),
  epoch: z.number().int().positive().optional(),
});
export type Ask = z.infer<typeof Ask>;

/** Plugin → worker: nobody needs the verdict any more, such as where it was given at the agent's own terminal. */
export const AskWithdrawn = z.looseObject({
  type: z.literal("ask_withdrawn"),
  id: AskId,
  epoch: z.number().int().positive().optional(),
});
export type AskWithdrawn = z.infer<typeof AskWithdrawn>;

/** Worker → plugin with capability `asks`: the answer to an `ask`. */
export const Verdict = z.looseObject({
  type: z.literal("verdict"),
  id: AskId,
  behavior: z.enum(["allow", "deny"]),
  /** For the agent: why not, or what to do instead. */
  message: z.string().optional(),
  /** With `allow`: call the tool with this instead. */
  updated_input: z.record(z.string(), z.unknown()).optional(),
  /** With `allow`: also do this one of the ask's `suggestions`, by its place from 0. */
  suggestion: z.number().int().nonnegative().optional(),
});
export type Verdict = z.infer<typeof Verdict>;
