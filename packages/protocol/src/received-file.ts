import * as z from "zod";

/** A file that a client sent, as an agent of this machine is told of it. */
export const ReceivedFile = z.looseObject({
  /** The last part of its path; no other file of the message has it. */
  name: z.string(),
  /** What the client said that it is. */
  media_type: z.string(),
  /** Where it lies, absolute. */
  path: z.string(),
  bytes: z.number().int().nonnegative(),
});
export type ReceivedFile = z.infer<typeof ReceivedFile>;
