import { stat } from "node:fs/promises";
import { TracedTurn } from "./traced-turn.ts";
import { transcriptFile, type TranscriptPlace } from "./transcript.ts";
import { transcriptLines } from "./transcript-line.ts";

/** What Claude's transcript has of one turn. */
export type TurnTrace =
  /** Its prompt was never worked on. */
  | { readonly state: "absent" }
  /** Claude goes on with it when it is asked to; `text` is what stands of its answer. */
  | { readonly state: "unfinished"; readonly text: string }
  /** Its answer is complete. */
  | { readonly state: "finished"; readonly text: string; readonly stopReason: string }
  /** It was interrupted, or another turn followed: Claude does not go on with it. */
  | { readonly state: "stopped" };

/** The last part of a transcript, which is looked through first: a cut turn is its last one. In bytes. */
const TAIL_BYTES = 4 * 1024 * 1024;

/**
 * Looks a turn up in the transcript of its session. `absent` is certain of a process that is dead and ran with
 * `CLAUDE_CODE_EAGER_FLUSH`: then the prompt is on disk before anything is made of it (measured with 2.1.330;
 * without it, up to 100 ms later). Only to be asked after the process and all it started is gone.
 */
export async function traceTurn(
  place: TranscriptPlace,
  sessionId: string,
  turnId: string,
): Promise<TurnTrace> {
  const file = await transcriptFile(place, sessionId);
  if (file === undefined) return { state: "absent" };
  const { size } = await stat(file);
  const tail = Math.max(0, size - TAIL_BYTES);
  const trace = await traceFrom(file, tail, turnId);
  return trace.state === "absent" && tail > 0 ? traceFrom(file, 0, turnId) : trace;
}

async function traceFrom(file: string, start: number, turnId: string): Promise<TurnTrace> {
  const turn = new TracedTurn(turnId);
  for await (const line of transcriptLines(file, start)) turn.read(line);
  return turn.trace;
}
