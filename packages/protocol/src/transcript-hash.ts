import { hash as digest } from "node:crypto";

/** The hash of an empty transcript. */
export const EMPTY_TRANSCRIPT = digest("sha256", "synthesis transcript 1", "hex");

/**
 * The hash of a transcript with one more message: rolling, so that gateway (over a request's earlier
 * messages) and worker (over what it answered) arrive at the same value without sharing the text.
 */
export function rollTranscript(hash: string, role: "user" | "assistant" | "tool", text: string): string {
  return digest("sha256", `${hash}\0${role}\0${text}`, "hex");
}

/** One call of a client's function, as a transcript has it. */
export interface TranscriptCall {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly arguments: string;
}

/**
 * The hash of a transcript with an agent's answer. Space around the text, the punctuation of call ids and the
 * form of the arguments' JSON do not count: clients change them. Nor does an empty answer: clients leave it out.
 */
export function rollAnswer(hash: string, text: string, calls: readonly TranscriptCall[]): string {
  const said = text.trim();
  if (calls.length === 0) return said === "" ? hash : rollTranscript(hash, "assistant", said);
  const made = calls.map(({ id, name, arguments: json }) => [plainCallId(id), name, canonicalJson(json)]);
  return rollTranscript(hash, "assistant", JSON.stringify([said, made]));
}

/** The id of a call as far as clients keep it: its letters and digits. */
export function plainCallId(id: string): string {
  return id.replaceAll(/[^A-Za-z0-9]/g, "");
}

/** JSON with the keys of its objects in order; text that is no JSON as it is. */
function canonicalJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_key, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return text;
  }
}
