import type { ContentPart, TranscriptCall } from "@synthesis/protocol";
import type { Message } from "../../src/turn-request/turn-request.ts";

/** A user's message, of texts and other parts. */
export function user(...parts: readonly (string | ContentPart)[]): Message {
  return { role: "user", parts: parts.map(asPart) };
}

export function assistant(text: string, ...calls: readonly TranscriptCall[]): Message {
  return { role: "assistant", text, calls };
}

/** The result of a client's function. */
export function tool(id: string, ...parts: readonly (string | ContentPart)[]): Message {
  return { role: "tool", call: id, parts: parts.map(asPart), isError: false };
}

export function call(id: string, name = "read", args = '{"path":"a"}'): TranscriptCall {
  return { id, name, arguments: args };
}

/** A part as it is. */
export const image: ContentPart = { type: "image", mediaType: "image/png", data: "AAAA" };

function asPart(part: string | ContentPart): ContentPart {
  return typeof part === "string" ? { type: "text", text: part } : part;
}
