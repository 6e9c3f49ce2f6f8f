import * as z from "zod";

/** A part of what is said to an agent. `data` is base64. */
export const ContentPart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("image"), mediaType: z.string(), data: z.string() }),
  z.object({
    type: z.literal("document"),
    mediaType: z.string(),
    data: z.string(),
    name: z.string().optional(),
  }),
]);
export type ContentPart = z.infer<typeof ContentPart>;

/** What a client's function gave back for a call of the agent's. */
export const ToolResult = z.object({
  type: z.literal("tool_result"),
  /** Id of the call. Clients rewrite ids: only letters and digits count. */
  call: z.string().min(1).max(256),
  /** Name and arguments of the function, as the client remembers the call: for an agent that does not any more. */
  name: z.string(),
  arguments: z.string(),
  content: z.array(ContentPart),
  isError: z.boolean(),
});
export type ToolResult = z.infer<typeof ToolResult>;

/** What is said to an agent in one turn: text, or parts of it in order. */
export const Prompt = z.union([z.string(), z.array(z.union([ContentPart, ToolResult])).min(1)]);
export type Prompt = z.infer<typeof Prompt>;
