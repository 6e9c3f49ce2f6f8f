import { printable } from "@synthesis/kit";
import type { ContentPart } from "@synthesis/protocol";
import * as z from "zod";
import type { Message } from "../turn-request/turn-request.ts";
import { documentPart, imagePart, textDocument } from "../turn-request/content-part.ts";
import { readShape, refuse } from "../turn-request/read-shape.ts";

const Content = z.union([z.string(), z.array(z.unknown())], { error: "must be text or a list of blocks" });
const MessageParam = z.looseObject({ role: z.enum(["user", "assistant", "system"]), content: Content });
const AnyBlock = z.looseObject({ type: z.string() });
const TextBlock = z.looseObject({ text: z.string() });
const NO_FILES = "must be of type base64: files and URLs are not fetched here";
const Base64 = z.looseObject({ type: z.literal("base64"), media_type: z.string(), data: z.string() });
const ImageBlock = z.looseObject({ source: z.discriminatedUnion("type", [Base64], { error: NO_FILES }) });
const PlainText = z.looseObject({ type: z.literal("text"), data: z.string() });
const DocumentBlock = z.looseObject({
  source: z.discriminatedUnion("type", [Base64, PlainText], { error: NO_FILES }),
  title: z.string().nullish(),
});
const ToolUse = z.looseObject({
  id: z.string().min(1),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
});
const ToolResult = z.looseObject({
  tool_use_id: z.string().min(1),
  content: Content.nullish(),
  is_error: z.boolean().nullish(),
});

/** What the messages of a request say. */
export interface ReadMessages {
  readonly messages: readonly Message[];
  /** Texts of its system messages. */
  readonly instructions: readonly string[];
}

/** Throws `invalid_request` naming the block. */
export function readMessages(params: readonly unknown[]): ReadMessages {
  const messages: Message[] = [];
  const instructions: string[] = [];
  for (const [index, param] of params.entries()) {
    const { role, content } = readShape(MessageParam, param, `messages.${index}`);
    const at = `messages.${index}.content`;
    if (role === "system") instructions.push(readText(content, at));
    else if (role === "user") messages.push(...userMessages(content, at));
    else messages.push(...assistantMessages(content, at));
  }
  return { messages, instructions };
}

/** Text, or blocks of text joined by newlines. Throws `invalid_request` naming the block. */
export function readText(content: string | readonly unknown[], at: string): string {
  if (typeof content === "string") return content;
  const blocks = content.map((block, index) => {
    const { type } = readShape(AnyBlock, block, `${at}.${index}`);
    if (type !== "text") refuse(`${at}.${index}.type`, "only text is taken here");
    return readShape(TextBlock, block, `${at}.${index}`).text;
  });
  return blocks.join("\n");
}

/** The results of the client's functions that it has, then what the user says. */
function userMessages(content: string | readonly unknown[], at: string): Message[] {
  const results: Message[] = [];
  const parts: ContentPart[] = [];
  for (const [index, block] of blocksOf(content).entries()) {
    const path = `${at}.${index}`;
    if (readShape(AnyBlock, block, path).type === "tool_result") results.push(toolMessage(block, path));
    else parts.push(contentPart(block, path));
  }
  return parts.length > 0 || results.length === 0 ? [...results, { role: "user", parts }] : results;
}

function toolMessage(block: unknown, at: string): Message {
  const { tool_use_id: call, content, is_error } = readShape(ToolResult, block, at);
  const parts = blocksOf(content ?? "").map((part, index) => contentPart(part, `${at}.content.${index}`));
  return { role: "tool", call, parts, isError: is_error === true };
}

/** An answer; none where it says nothing. Thinking is left out: it is the agent's own, which needs it from nobody. */
function assistantMessages(content: string | readonly unknown[], at: string): Message[] {
  let text = "";
  const calls = [];
  for (const [index, block] of blocksOf(content).entries()) {
    const path = `${at}.${index}`;
    const { type } = readShape(AnyBlock, block, path);
    if (type === "text") text += readShape(TextBlock, block, path).text;
    else if (type === "tool_use") {
      const { id, name, input } = readShape(ToolUse, block, path);
      calls.push({ id, name, arguments: jsonOf(input, `${path}.input`) });
    } else if (type !== "thinking" && type !== "redacted_thinking") refuseBlock(type, path);
  }
  return text === "" && calls.length === 0 ? [] : [{ role: "assistant", text, calls }];
}

function jsonOf(input: object, at: string): string {
  try {
    return JSON.stringify(input);
  } catch {
    return refuse(at, "this is nested too deep");
  }
}

function contentPart(block: unknown, at: string): ContentPart {
  const { type } = readShape(AnyBlock, block, at);
  if (type === "text") return { type, text: readShape(TextBlock, block, at).text };
  if (type === "image") {
    const { media_type, data } = readShape(ImageBlock, block, at).source;
    return imagePart(media_type, data, `${at}.source`);
  }
  if (type !== "document") return refuseBlock(type, at);
  const { source, title } = readShape(DocumentBlock, block, at);
  const name = title ?? undefined;
  if (source.type === "text") return textDocument(source.data, name);
  return documentPart(source.media_type, source.data, name, `${at}.source`);
}

function blocksOf(content: string | readonly unknown[]): readonly unknown[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function refuseBlock(type: string, at: string): never {
  const taken = "send text, images, documents, tool_use and tool_result";
  return refuse(`${at}.type`, `blocks of type "${printable(type)}" are not taken here: ${taken}`);
}
