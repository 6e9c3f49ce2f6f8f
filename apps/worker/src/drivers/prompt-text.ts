import { quoted, quotedParts, type ContentPart, type Prompt, type ToolResult } from "@synthesis/protocol";
import type { FilePart } from "../files/file-part.ts";

/** What of a prompt is no text, in its order. */
export function fileParts(prompt: Prompt): FilePart[] {
  return plainParts(prompt).filter((part) => part.type !== "text");
}

/** A prompt for an agent that takes text only; `lines` stand for what is none, in its order. */
export function promptText(prompt: Prompt, lines: readonly string[] = []): string {
  const left = [...lines];
  const texts = plainParts(prompt).map((part) => (part.type === "text" ? part.text : (left.shift() ?? "")));
  return texts.join("\n\n");
}

/** A function's result for an agent that does not remember its call: what was called, and the parts of what came of it. */
export function resultParts({ name, arguments: json, content, isError }: ToolResult): ContentPart[] {
  const outcome: Record<string, string> = isError ? { outcome: "failed" } : {};
  const [first, ...rest] = quotedParts("function_result", { name, ...outcome }, content);
  const call = quoted("function_call", { name }, json);
  return first?.type === "text" ? [{ type: "text", text: `${call}\n${first.text}` }, ...rest] : [];
}

function plainParts(prompt: Prompt): ContentPart[] {
  if (typeof prompt === "string") return [{ type: "text", text: prompt }];
  return prompt.flatMap((part) => (part.type === "tool_result" ? resultParts(part) : [part]));
}
