import type { Prompt } from "@synthesis/protocol";

type PromptPart = Exclude<Prompt, string>[number];
export type ToolResultPart = Extract<PromptPart, { type: "tool_result" }>;
export type ContentPart = Exclude<PromptPart, ToolResultPart>;

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
export function resultParts({ name, arguments: json, content, isError }: ToolResultPart): ContentPart[] {
  const outcome = isError ? "failed" : "returned";
  const what = `The client's function ${name}, called with ${json}, ${outcome}:`;
  const [first, ...rest] = content;
  if (first === undefined) return [{ type: "text", text: `${what} (nothing)` }];
  if (first.type === "text") return [{ type: "text", text: `${what}\n${first.text}` }, ...rest];
  return [{ type: "text", text: what }, first, ...rest];
}

function textOf(part: PromptPart): string | undefined {
  return part.type === "text" ? part.text : undefined;
}
