import * as z from "zod";

const named = {
  /** As people see it: a name, no path. */
  name: z.string().regex(/^[^\p{Cc}/\\]{1,255}$/u, "a file's name without a path"),
  media_type: z.string().regex(/^[\w.+-]{1,64}\/[\w.+-]{1,64}$/, "a media type such as image/png"),
};

/** A file that belongs to an answer: its content, or where it lies in the workspace. */
export const Attachment = z.union([
  z.looseObject({ ...named, data: z.base64() }),
  z.looseObject({ ...named, path: z.string().min(1).max(4096) }),
]);
export type Attachment = z.infer<typeof Attachment>;
