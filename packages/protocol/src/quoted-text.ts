import type { ContentPart } from "./prompt.ts";

/** What content is quoted in. Quotes stand side by side, within `conversation_so_far` or outside of it. */
export type QuoteTag = "message" | "function_call" | "function_result" | "document";

type Attributes = Readonly<Record<string, string>>;

const STRUCTURE =
  /<(?=\s*(?:\/\s*)?(?:conversation_so_far|message|function_call|function_result|received_file)\b)/gi;
/** A document may be anything, XML with messages too: all that it must not do is to end itself. */
const DOCUMENT = /<(?=\s*(?:\/\s*)?document\b)/gi;

/**
 * Content as an agent is told it where it is not what its user says now: in a tag that it cannot end, and without one
 * that could pass for what somebody else said.
 */
export function quoted(tag: QuoteTag, attributes: Attributes, content: string): string {
  return `${opening(tag, attributes)}${escaped(tag, content)}${closing(tag)}`;
}

/** The same of content in parts: texts that stand side by side are lines of one text. */
export function quotedParts(
  tag: QuoteTag,
  attributes: Attributes,
  parts: readonly ContentPart[],
): ContentPart[] {
  const told: ContentPart[] = [];
  let text = opening(tag, attributes);
  let lines: string[] = [];
  for (const part of parts) {
    if (part.type === "text") lines.push(part.text);
    else {
      text += escaped(tag, lines.join("\n")); // together: a tag may come in two halves
      if (text !== "") told.push({ type: "text", text });
      told.push(part);
      text = "";
      lines = [];
    }
  }
  text += escaped(tag, lines.join("\n")) + closing(tag);
  return [...told, { type: "text", text }];
}

/** A line that stands for a file in a text. */
export function fileLine(attributes: Attributes): string {
  return `<received_file${written(attributes)}>`;
}

function opening(tag: QuoteTag, attributes: Attributes): string {
  return `<${tag}${written(attributes)}>\n`;
}

function written(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}=${attribute(value)}`)
    .join("");
}

function closing(tag: QuoteTag): string {
  return `\n</${tag}>`;
}

function attribute(value: string): string {
  return JSON.stringify(value.replaceAll('"', "&quot;").replaceAll("<", "&lt;"));
}

function escaped(tag: QuoteTag, content: string): string {
  return content.replace(tag === "document" ? DOCUMENT : STRUCTURE, "&lt;");
}
