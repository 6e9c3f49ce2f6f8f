import { plainCallId, type ContentPart, type Prompt, type ToolResult } from "@synthesis/protocol";
import { resultParts } from "../prompt-text.ts";

/** The content of a user message as the Messages API takes it. */
export type MessageContent = string | readonly object[];

/** A call that waits for its result: its id as the client was told it, and Claude's own. */
export interface OpenCall {
  readonly id: string;
  readonly claudeId: string;
}

const NO_RESULT = { content: "the client gave no result", is_error: true };

/**
 * What Claude is told for a prompt: first the results of all calls that wait for one, since Claude makes up an
 * error for what is left out; then `notes`; then the rest. A result of another call becomes text.
 */
export function promptContent(
  prompt: Prompt,
  openCalls: readonly OpenCall[] = [],
  notes: readonly string[] = [],
): MessageContent {
  if (typeof prompt === "string" && openCalls.length === 0 && notes.length === 0) return prompt;
  const parts = typeof prompt === "string" ? [textPart(prompt)] : prompt;
  const results = new Map<string, ToolResult>();
  const rest: ContentPart[] = [];
  for (const part of parts) {
    if (part.type !== "tool_result") rest.push(part);
    else if (openCalls.some(({ id }) => id === plainCallId(part.call)))
      results.set(plainCallId(part.call), part);
    else rest.push(...resultParts(part));
  }
  const blocks = [
    ...openCalls.map(({ id, claudeId }) => resultBlock(claudeId, results.get(id))),
    ...[...notes.map(textPart), ...rest].flatMap(contentBlock),
  ];
  return blocks.length > 0 ? blocks : ""; // of empty texts only
}

function resultBlock(claudeId: string, result: ToolResult | undefined): object {
  const common = { type: "tool_result", tool_use_id: claudeId };
  if (result === undefined) return { ...common, ...NO_RESULT };
  const content = result.content.flatMap(contentBlock);
  return { ...common, content, ...(result.isError ? { is_error: true } : {}) };
}

/** The API takes no empty text. */
function contentBlock(part: ContentPart): object[] {
  if (part.type === "text") return part.text === "" ? [] : [part];
  const { type, mediaType, data } = part;
  if (type === "image") return [{ type, source: base64Source(mediaType, data) }];
  const title = part.name === undefined ? {} : { title: part.name };
  const source = mediaType.startsWith("text/") ? textSource(data) : base64Source(mediaType, data);
  return [{ type, source, ...title }];
}

function base64Source(media_type: string, data: string): object {
  return { type: "base64", media_type, data };
}

/** The API knows one kind of text. */
function textSource(data: string): object {
  return { type: "text", media_type: "text/plain", data: Buffer.from(data, "base64").toString("utf8") };
}

function textPart(text: string): ContentPart {
  return { type: "text", text };
}
