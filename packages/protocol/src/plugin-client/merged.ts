import type { OutboundFrame } from "./outbox.ts";

/** Two frames that were not sent yet as one, where that says the same and is no longer than `maxBytes`. */
export function merged(
  first: OutboundFrame,
  second: OutboundFrame,
  maxBytes: number,
): OutboundFrame | undefined {
  if (first.type === "reply" && second.type === "reply") {
    const hasMore = first.final !== false || first.attachments !== undefined;
    if (hasMore || second.final !== false || second.attachments !== undefined) return undefined;
    const content = first.content + second.content;
    return Buffer.byteLength(content) > maxBytes ? undefined : { ...first, content };
  }
  if (first.type !== "progress" || second.type !== "progress") return undefined;
  if (second.text === undefined) return first;
  const text = (first.text ?? "") + second.text;
  return Buffer.byteLength(text) > maxBytes ? undefined : { ...first, text };
}
