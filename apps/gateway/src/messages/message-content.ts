import { printable } from "@synthesis/kit";
import type { ContentPart, TranscriptCall } from "@synthesis/protocol";
import { documentPart, imagePart, textDocument } from "../turn-request/content-part.ts";
import {
  readContent,
  readId,
  readObject,
  readOptional,
  readString,
  readText,
  type Fields,
} from "../turn-request/read-fields.ts";
import { refuse } from "../turn-request/read-shape.ts";
import type { Message } from "../turn-request/turn-request.ts";

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
    const { role, content } = readObject(param, `messages.${index}`);
    const at = `messages.${index}.content`;
    switch (role) {
      case "system":
        instructions.push(readSystem(content, at));
        break;
      case "user":
        messages.push(...userMessages(blocksOf(content, at), at));
        break;
      case "assistant": {
        const said = answerOf(blocksOf(content, at), at);
        if (said.text !== "" || said.calls.length > 0) messages.push(said);
        break;
      }
      default:
        refuse(`messages.${index}.role`, "must be user, assistant or system");
    }
  }
  return { messages, instructions };
}

/** Text, or blocks of text, each a line of its own. Throws `invalid_request` naming the block. */
export function readSystem(value: unknown, at: string): string {
  return readText(readContent(value, at, "blocks"), at, textOf, "\n");
}

function textOf({ type, text }: Fields, at: string): string {
  if (type !== "text") refuse(`${at}.type`, "only text is taken here");
  return readString(text, `${at}.text`);
}

/** The results of the client's functions that it has, then what the user says. */
function userMessages(blocks: readonly unknown[], at: string): Message[] {
  const results: Message[] = [];
  const parts: ContentPart[] = [];
  for (const [index, value] of blocks.entries()) {
    const path = `${at}.${index}`;
    const block = readObject(value, path);
    if (block["type"] === "tool_result") results.push(toolMessage(block, path));
    else parts.push(contentPart(block, path));
  }
  return parts.length > 0 || results.length === 0 ? [...results, { role: "user", parts }] : results;
}

function toolMessage({ tool_use_id: call, content, is_error: isError }: Fields, at: string): Message {
  const parts = blocksOf(content ?? "", `${at}.content`).map((part, index) => {
    const path = `${at}.content.${index}`;
    return contentPart(readObject(part, path), path);
  });
  if (isError != null && typeof isError !== "boolean") refuse(`${at}.is_error`, "must be true or false");
  return { role: "tool", call: readId(call, `${at}.tool_use_id`), parts, isError: isError === true };
}

/** Thinking is left out: it is the agent's own, which needs it from nobody. */
function answerOf(blocks: readonly unknown[], at: string): Extract<Message, { role: "assistant" }> {
  let text = "";
  const calls: TranscriptCall[] = [];
  for (const [index, value] of blocks.entries()) {
    const path = `${at}.${index}`;
    const block = readObject(value, path);
    switch (block["type"]) {
      case "text":
        text += readString(block["text"], `${path}.text`);
        break;
      case "tool_use":
        calls.push(callOf(block, path));
        break;
      case "thinking":
      case "redacted_thinking":
        break;
      default:
        refuseBlock(block, path);
    }
  }
  return { role: "assistant", text, calls };
}

function callOf({ id, name, input }: Fields, at: string): TranscriptCall {
  return {
    id: readId(id, `${at}.id`),
    name: readString(name, `${at}.name`),
    arguments: jsonOf(readObject(input, `${at}.input`), `${at}.input`),
  };
}

function jsonOf(input: object, at: string): string {
  try {
    return JSON.stringify(input);
  } catch {
    return refuse(at, "this is nested too deep");
  }
}

function contentPart(block: Fields, at: string): ContentPart {
  switch (block["type"]) {
    case "text":
      return { type: "text", text: readString(block["text"], `${at}.text`) };
    case "image": {
      const { mediaType, data } = readSource(block, at);
      return imagePart(mediaType, data, `${at}.source`);
    }
    case "document": {
      const name = readOptional(block["title"], `${at}.title`);
      const source = readObject(block["source"], `${at}.source`);
      if (source["type"] === "text")
        return textDocument(readString(source["data"], `${at}.source.data`), name);
      const { mediaType, data } = readSource(block, at);
      return documentPart(mediaType, data, name, `${at}.source`);
    }
    default:
      return refuseBlock(block, at);
  }
}

function readSource({ source }: Fields, at: string): { readonly mediaType: string; readonly data: string } {
  const { type, media_type: mediaType, data } = readObject(source, `${at}.source`);
  if (type !== "base64")
    refuse(`${at}.source.type`, "must be of type base64: files and URLs are not fetched here");
  return {
    mediaType: readString(mediaType, `${at}.source.media_type`),
    data: readString(data, `${at}.source.data`),
  };
}

function blocksOf(value: unknown, at: string): readonly unknown[] {
  const content = readContent(value, at, "blocks");
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function refuseBlock({ type }: Fields, at: string): never {
  const taken = "send text, images, documents, tool_use and tool_result";
  return refuse(`${at}.type`, `blocks of type "${printable(String(type))}" are not taken here: ${taken}`);
}
