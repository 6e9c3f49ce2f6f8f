import { hash as digestOf } from "node:crypto";
import { plainCallId, rollAnswer, rollTranscript, type ContentPart } from "@synthesis/protocol";
import type { Message } from "./turn-request.ts";
import type { ClientWords } from "./conversation.ts";

/** The hash of a transcript after each of these messages, which go on from `base`. */
export function transcriptPoints(base: string, messages: readonly Message[], words: ClientWords): string[] {
  let hash = base;
  return messages.map((message) => (hash = rollMessage(hash, message, words)));
}

function rollMessage(hash: string, message: Message, words: ClientWords): string {
  switch (message.role) {
    case "assistant":
      return rollAnswer(hash, message.text, message.calls);
    case "user":
      return rollTranscript(hash, "user", words.plain(canonicalText(message.parts)));
    case "tool":
      return rollTranscript(
        hash,
        "tool",
        `${plainCallId(message.call)}\0${message.isError}\0${canonicalText(message.parts)}`,
      );
  }
}

/** Parts as one text, the same however text is wrapped; an image stands there by its hash. */
export function canonicalText(parts: readonly ContentPart[]): string {
  const [first, ...more] = parts;
  if (first?.type === "text" && more.length === 0) return first.text;
  return parts
    .map((part) => {
      if (part.type === "text") return part.text;
      return `\0${part.type}\0${part.mediaType}\0${digestOf("sha256", part.data, "hex")}`;
    })
    .join("\n");
}

/** At most so many points are named to a worker. */
const MAX_POINTS = 64;
/** The latest ones, where conversations are gone on from and edited. */
const MAX_LATEST = 32;

/** The latest points, then ever sparser ones: the latest first. */
export function pointsToName(points: readonly string[]): string[] {
  const named: string[] = [];
  for (let age = 1; age <= points.length && named.length < MAX_POINTS;) {
    named.push(points[points.length - age] ?? "");
    age += age < MAX_LATEST ? 1 : Math.floor(age / 4);
  }
  return named;
}
