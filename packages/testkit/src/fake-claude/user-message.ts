/** A user message as the fake queues it. */
export interface UserMessage {
  readonly uuid: string | undefined;
  readonly text: string;
  /** Whether the text goes to the model as it is; otherwise Claude interprets `/command` and `@path`. */
  readonly isVerbatim: boolean;
}

/** One line of stdin. */
export type InputLine =
  | { readonly type: "user"; readonly message: UserMessage }
  | { readonly type: "control"; readonly id: string; readonly request: Readonly<Record<string, unknown>> }
  | { readonly type: "answer"; readonly id: string; readonly response: Readonly<Record<string, unknown>> }
  | { readonly type: "ignored" }
  /** What ends the real CLI with exit code 1. */
  | { readonly type: "fatal"; readonly message: string };

/** Reads a line as the real CLI does, its fatal cases included. */
export function readInputLine(line: string): InputLine {
  if (line.trim() === "") return { type: "ignored" };
  const value = parseObject(line);
  if (value === undefined)
    return { type: "fatal", message: `Error parsing streaming input line (${line.length} chars)` };
  if (value["type"] === "control_request") {
    return { type: "control", id: String(value["request_id"]), request: objectOf(value["request"]) };
  }
  if (value["type"] === "control_response") {
    const { request_id, response } = objectOf(value["response"]);
    return { type: "answer", id: String(request_id), response: objectOf(response) };
  }
  if (value["type"] !== "user") return { type: "ignored" };
  const { role, content } = objectOf(value["message"]);
  if (role !== "user") return { type: "fatal", message: "Error: Expected message role 'user'" };
  const uuid = typeof value["uuid"] === "string" ? value["uuid"] : undefined;
  return {
    type: "user",
    message: { uuid, text: textOf(content), isVerbatim: value["client_composed"] === true },
  };
}

/** The text parts; of the others what they are. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) => partText(objectOf(part))).join("\n");
}

function partText(part: Readonly<Record<string, unknown>>): string {
  if (typeof part["text"] === "string") return part["text"];
  if (part["type"] === "tool_result")
    return `[result of ${String(part["tool_use_id"])}: ${textOf(part["content"])}]`;
  return `[${String(part["type"])}]`;
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
