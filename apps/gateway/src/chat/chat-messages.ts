import { printable } from "@synthesis/kit";
import type { ContentPart, TranscriptCall } from "@synthesis/protocol";
import type { Message } from "../turn-request/turn-request.ts";
import { documentFromUrl, imageFromUrl } from "../turn-request/content-part.ts";
import {
  readContent,
  readObject,
  readOptional,
  readString,
  readText,
  type Fields,
} from "../turn-request/read-fields.ts";
import { refuse } from "../turn-request/read-shape.ts";
import { unknownFields } from "../turn-request/unknown-fields.ts";

/** A chat's messages, taken apart. */
export interface ChatMessages {
  readonly messages: readonly Message[];
  /** The system and developer messages, in order. */
  readonly instructions: readonly string[];
  /** Names of fields that were sent and have no effect. */
  readonly ignored: ReadonlySet<string>;
}

/** Reads the messages of a chat. Throws `invalid_request` naming the path. */
export function readChatMessages(values: readonly unknown[]): ChatMessages {
  const messages: Message[] = [];
  const instructions: string[] = [];
  const ignored = new Set<string>();
  for (const [index, value] of values.entries()) {
    const at = `messages.${index}`;
    const fields = readObject(value, at);
    for (const name of unknownFields(fields, understood, "messages.")) ignored.add(name);
    switch (fields["role"]) {
      case "system":
      case "developer":
        instructions.push(text(fields["content"], `${at}.content`, "\n"));
        break;
      case "user":
        messages.push({ role: "user", parts: content(fields["content"], `${at}.content`, ignored) });
        break;
      case "assistant": {
        const said = assistant(fields, at);
        if (said.text !== "" || said.calls.length > 0) messages.push(said);
        break;
      }
      case "tool":
        messages.push({
          role: "tool",
          call: readString(fields["tool_call_id"], `${at}.tool_call_id`),
          parts: content(fields["content"], `${at}.content`, ignored),
          isError: false,
        });
        break;
      case "function":
        refuse(`${at}.role`, "this was replaced by tool: send a message of role tool with its tool_call_id");
        break;
      default:
        refuse(`${at}.role`, "must be system, developer, user, assistant or tool");
    }
  }
  return { messages, instructions, ignored };
}

function assistant(fields: Fields, at: string): Extract<Message, { role: "assistant" }> {
  const { content: said, refusal, tool_calls: calls, function_call: legacy } = fields;
  if (legacy != null) refuse(`${at}.function_call`, "this was replaced by tool_calls: send those");
  if (calls != null && !Array.isArray(calls)) refuse(`${at}.tool_calls`, "must be a list");
  const spoken = said == null ? "" : text(said, `${at}.content`, "");
  return {
    role: "assistant",
    text: spoken === "" && typeof refusal === "string" ? refusal : spoken,
    calls: ((calls ?? []) as unknown[]).map((call, index) => readCall(call, `${at}.tool_calls.${index}`)),
  };
}

function readCall(value: unknown, at: string): TranscriptCall {
  const { id, type, function: made } = readObject(value, at);
  if (type != null && type !== "function") refuse(`${at}.type`, "only calls of functions are taken");
  const { name, arguments: json } = readObject(made, `${at}.function`);
  return {
    id: readString(id, `${at}.id`),
    name: readString(name, `${at}.function.name`),
    arguments: readString(json, `${at}.function.arguments`),
  };
}

/** The parts of instructions are lines, those of answers are not. */
function text(value: unknown, at: string, between: "\n" | ""): string {
  return readText(readContent(value, at), at, textOf, between);
}

function textOf({ type, text: said, refusal }: Fields, at: string): string {
  if (type === "refusal") return readString(refusal, `${at}.refusal`);
  if (type !== "text") refuse(`${at}.type`, "only parts of type text are taken here");
  return readString(said, `${at}.text`);
}

function content(value: unknown, at: string, ignored: Set<string>): ContentPart[] {
  const parts = readContent(value ?? [], at);
  if (typeof parts === "string") return [{ type: "text", text: parts }];
  return parts.map((part, index) => readPart(readObject(part, `${at}.${index}`), `${at}.${index}`, ignored));
}

function readPart(part: Fields, at: string, ignored: Set<string>): ContentPart {
  switch (part["type"]) {
    case "text":
      return { type: "text", text: readString(part["text"], `${at}.text`) };
    case "image_url": {
      const { url, detail } = readObject(part["image_url"], `${at}.image_url`);
      if (detail != null && detail !== "auto") ignored.add("messages.image_url.detail");
      return imageFromUrl(readString(url, `${at}.image_url.url`), `${at}.image_url.url`);
    }
    case "file": {
      const { file_data: data, filename } = readObject(part["file"], `${at}.file`);
      if (data == null)
        refuse(`${at}.file`, "files are not kept here: send the file itself as file_data, a data: URL");
      const name = readOptional(filename, `${at}.file.filename`);
      return documentFromUrl(readString(data, `${at}.file.file_data`), name, `${at}.file.file_data`);
    }
    default:
      return refuse(
        `${at}.type`,
        `parts of type "${printable(String(part["type"]))}" are not taken: send text, image_url or file`,
      );
  }
}

const understood: ReadonlySet<string> = new Set([
  "role",
  "content",
  "tool_calls",
  "tool_call_id",
  "function_call",
  "refusal",
]);
