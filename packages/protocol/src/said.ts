import * as z from "zod";

/** What a client's user wrote, all of it and nothing that the client adds: where that is known it may be a verdict on an ask. */
export const Said = z.object({
  words: z.string().min(1).max(16_384),
  /** When the request with it arrived, by the machine's monotonic clock: it is no verdict on what was told later. */
  receivedMs: z.number(),
});
export type Said = z.infer<typeof Said>;
