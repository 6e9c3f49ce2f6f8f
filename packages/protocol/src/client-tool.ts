import * as z from "zod";

/** A function of a client's that an agent may call. */
export const ClientTool = z.object({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: z.string().optional(),
  /** JSON Schema of its arguments, an object. */
  parameters: z.record(z.string(), z.unknown()),
});
export type ClientTool = z.infer<typeof ClientTool>;

/**
 * A piece of an agent's call of a client's function. The first piece of each call has its id and name; the
 * `arguments` of all its pieces, joined, are a JSON object.
 */
export const ToolCallDelta = z.object({
  /** Which of the answer's calls, from 0. */
  index: z.number().int().nonnegative(),
  /** Letters and digits only, for clients strip others. */
  id: z.string().optional(),
  name: z.string().optional(),
  arguments: z.string(),
});
export type ToolCallDelta = z.infer<typeof ToolCallDelta>;
