import {
  plainCallId,
  quoted,
  quotedParts,
  type ContentPart,
  type Prompt,
  type ToolResult,
  type TranscriptCall,
} from "@synthesis/protocol";
import type { Message } from "./turn-request.ts";
import { refuse } from "./read-shape.ts";

/** The calls of a conversation, by the letters and digits of their ids. */
export type ToolCalls = ReadonlyMap<string, TranscriptCall>;

type PromptPart = ContentPart | ToolResult;

/** What is said to an agent that knows what came before: text, or parts where it is more than that. */
export function partsOf(messages: readonly Message[], calls: ToolCalls): Prompt {
  return asPrompt(newParts(messages, calls));
}

/**
 * What is said to an agent that was not told some of the answers: the messages up to the last answer as an account of
 * the conversation, then what is new.
 */
export function seededPrompt(messages: readonly Message[], calls: ToolCalls): Prompt {
  const newFrom = messages.findLastIndex(({ role }) => role === "assistant") + 1;
  if (newFrom === 0) return partsOf(messages, calls);
  const isUsers = messages[newFrom]?.role === "user";
  return asPrompt([
    text("<conversation_so_far>\n"),
    ...messages.slice(0, newFrom).flatMap((message) => told(message, calls)),
    text(`</conversation_so_far>\n\nThe conversation goes on.${isUsers ? " The user now says:" : ""}\n\n`),
    ...newParts(messages.slice(newFrom), calls),
  ]);
}

/** A prompt with a line after it. */
export function withLine(prompt: Prompt, line: string): Prompt {
  return typeof prompt === "string" ? `${prompt}\n\n${line}` : [...prompt, text(line)];
}

/** A blank line between the texts of two messages. */
function newParts(messages: readonly Message[], calls: ToolCalls): PromptPart[] {
  const parts: PromptPart[] = [];
  for (const message of messages) {
    if (parts.at(-1)?.type === "text") parts.push(text("\n\n"));
    parts.push(...messageParts(message, calls));
  }
  return parts;
}

function messageParts(message: Message, calls: ToolCalls): readonly PromptPart[] {
  if (message.role === "user") return separated(message.parts);
  if (message.role === "assistant") return [];
  const { name, arguments: json } = calls.get(plainCallId(message.call)) ?? UNKNOWN_CALL;
  const { call, parts, isError } = message;
  return [{ type: "tool_result", call, name, arguments: json, content: [...parts], isError }];
}

/** Of a conversation that only its session knows. */
const UNKNOWN_CALL = { name: "function", arguments: "{}" };

function told(message: Message, calls: ToolCalls): readonly ContentPart[] {
  switch (message.role) {
    case "user":
      return [...quotedParts("message", { role: "user" }, message.parts), text("\n")];
    case "assistant": {
      const said = message.text === "" ? [] : [quoted("message", { role: "assistant" }, message.text)];
      const made = message.calls.map(({ name, arguments: json }) => quoted("function_call", { name }, json));
      return [...said, ...made].map((quote) => text(`${quote}\n`));
    }
    case "tool": {
      const { name } = calls.get(plainCallId(message.call)) ?? UNKNOWN_CALL;
      return [...quotedParts("function_result", { name }, message.parts), text("\n")];
    }
  }
}

/** The parts of one message: texts on lines of their own. */
function separated(parts: readonly ContentPart[]): ContentPart[] {
  return parts.flatMap((part, index) => {
    const isAfterText = part.type === "text" && parts[index - 1]?.type === "text";
    return isAfterText ? [text("\n"), part] : [part];
  });
}

function text(content: string): ContentPart {
  return { type: "text", text: content };
}

/**
 * Text that stands side by side is one text, blank text between other parts nothing; text alone is a string. Throws
 * `invalid_request` where nothing is left.
 */
function asPrompt(parts: readonly PromptPart[]): Prompt {
  const merged: PromptPart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (part.type === "text" && last?.type === "text")
      merged[merged.length - 1] = text(last.text + part.text);
    else merged.push(part);
  }
  const said = merged.filter((part) => part.type !== "text" || part.text.trim() !== "");
  const [first] = said;
  if (first === undefined) return refuseEmpty();
  return said.length === 1 && first.type === "text" ? first.text : said;
}

/** Throws `invalid_request`: an agent is told nothing that is new. */
export function refuseEmpty(): never {
  return refuse(
    "messages",
    "there is nothing to answer: end with a user message that is not empty, or with the result of a function",
  );
}
