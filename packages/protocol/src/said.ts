import * as z from "zod";

/** What a client's user wrote, all of it and nothing that the client adds: where that is known it may be a verdict on an ask. */
export const Said = z.object({
  words: z.string().min(1).max(16_384),
  /** When the request with it arrived (epoch ms): it is no verdict on what was told later. */
  receivedAt: z.number().int(),
});
export type Said = z.infer<typeof Said>;
