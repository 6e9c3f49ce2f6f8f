import type * as z from "zod";

/** What arrived: the frames of one message, or why it is none. */
export type Decoded<Frame> =
  | { readonly ok: true; readonly frames: readonly Frame[] }
  | { readonly ok: false; readonly message: string };

/**
 * Reads one WebSocket text message: a frame, or an array of frames that the sender wrote within one turn of
 * its event loop (PROTOCOL.md W-2). Those that `isIgnored` are left out. Never throws.
 */
export function decodeFrames<Schema extends z.ZodType>(
  schema: Schema,
  data: string,
  isIgnored: (frame: unknown) => boolean = () => false,
): Decoded<z.infer<Schema>> {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return { ok: false, message: "the message is not JSON" };
  }
  const frames: z.infer<Schema>[] = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    if (isIgnored(item)) continue;
    const parsed = schema.safeParse(item);
    if (!parsed.success) return { ok: false, message: firstIssue(parsed.error) };
    frames.push(parsed.data);
  }
  return { ok: true, frames };
}

/** Writes the frames of one event-loop turn as one message. */
export function encodeFrames(frames: readonly object[]): string {
  return JSON.stringify(frames.length === 1 ? frames[0] : frames);
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  const where = issue?.path.join(".") || "frame";
  return `${where}: ${issue?.message ?? "not a frame"}`;
}
