import { quoted, quotedParts, type ContentPart, type Prompt, type ToolResult } from "@synthesis/protocol";

/** What an agent that takes text only is told; undefined where the prompt has parts that are none. */
export function promptText(prompt: Prompt): string | undefined {
  if (typeof prompt === "string") return prompt;
  const texts: string[] = [];
  for (const part of prompt) {
    const text = part.type === "tool_result" ? promptText(resultParts(part)) : textOf(part);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts.join("\n\n");
}

/** A function's result for an agent that does not remember its call: what was called, and the parts of what came of it. */
export function resultParts({ name, arguments: json, content, isError }: ToolResult): ContentPart[] {
  const outcome: Record<string, string> = isError ? { outcome: "failed" } : {};
  const [first, ...rest] = quotedParts("function_result", { name, ...outcome }, content);
  const call = quoted("function_call", { name }, json);
  return first?.type === "text" ? [{ type: "text", text: `${call}\n${first.text}` }, ...rest] : [];
}

function textOf(part: ContentPart): string | undefined {
  return part.type === "text" ? part.text : undefined;
}
