import { fileLines } from "../../process/file-lines.ts";
import * as z from "zod";

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  tool_use_id: z.string().optional(),
});

/** One line of Claude Code's transcript of a session, as far as it matters here (measured with 2.1.330). */
const TranscriptLine = z.looseObject({
  type: z.string(),
  uuid: z.string().optional(),
  /** The folder that the session runs in; not in every line. */
  cwd: z.string().optional(),
  /** `sdk`: a prompt from stdin, under the uuid that it came with. */
  promptSource: z.string().optional(),
  /** A subagent's. */
  isSidechain: z.boolean().optional(),
  isApiErrorMessage: z.boolean().optional(),
  message: z
    .looseObject({
      id: z.string().optional(),
      stop_reason: z.string().nullish(),
      content: z.union([z.string(), z.array(Block)]),
    })
    .optional(),
});
export type TranscriptLine = z.infer<typeof TranscriptLine>;

/** Longest line of a transcript that is read, in bytes; a prompt is one line, and is bounded by `limits.bodyBytes`. */
export const MAX_TRANSCRIPT_LINE_BYTES = 256 * 1024 * 1024;

/**
 * The lines of a transcript from byte `start` on. What is no line of its form is left out: a half one that a
 * SIGKILL left at the end, or the rest of one at the start. Throws where the file cannot be read.
 */
export async function* transcriptLines(file: string, start = 0): AsyncGenerator<TranscriptLine> {
  for await (const line of fileLines(file, MAX_TRANSCRIPT_LINE_BYTES, start)) {
    const parsed = parse(line);
    if (parsed !== undefined) yield parsed;
  }
}

function parse(text: string): TranscriptLine | undefined {
  try {
    return TranscriptLine.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
