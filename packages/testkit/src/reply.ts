import { Gate } from "./gate.ts";
import type { AnswerOptions, ScriptedReply, StatusOptions, ToolCall } from "./scripted-reply.ts";

/** Constructors of scripted replies. */
export const reply = {
  /** A text, by default as one chunk per word. */
  text(text: string, options: AnswerOptions & { readonly chunks?: readonly string[] } = {}): ScriptedReply {
    return { kind: "text", ...options, chunks: options.chunks ?? words(text) };
  },
  /** One tool call or several, with text before it where given. */
  toolUse(
    calls: ToolCall | readonly ToolCall[],
    options: AnswerOptions & { readonly text?: string } = {},
  ): ScriptedReply {
    return { kind: "toolUse", ...options, calls: isList(calls) ? calls : [calls] };
  },
  /** An API error such as 401, 403, 404, 413, 429, 500, 529. */
  status(status: number, options: StatusOptions = {}): ScriptedReply {
    return { kind: "status", status, ...options };
  },
  /** The 400 of a context that is full. */
  promptTooLong(): ScriptedReply {
    return { kind: "status", status: 400, message: "prompt is too long: 210000 tokens > 200000 maximum" };
  },
  html(body = "<html><body>captive portal</body></html>"): ScriptedReply {
    return { kind: "html", body };
  },
  /** `status` names the error type: 529 gives `overloaded_error`. */
  sseError(chunks: readonly string[] = [], status = 529, message = "Overloaded"): ScriptedReply {
    return { kind: "sseError", chunks, status, message };
  },
  brokenJson(chunks: readonly string[] = []): ScriptedReply {
    return { kind: "brokenJson", chunks };
  },
  cut(chunks: readonly string[] = []): ScriptedReply {
    return { kind: "cut", chunks };
  },
  cleanEnd(chunks: readonly string[] = [], calls: readonly ToolCall[] = []): ScriptedReply {
    return { kind: "cleanEnd", chunks, calls };
  },
  noHeaders(): ScriptedReply {
    return { kind: "noHeaders" };
  },
  stall(chunks: readonly string[] = []): ScriptedReply {
    return { kind: "stall", chunks };
  },
  /** Held open until the test releases it: `const held = reply.gated(); api.next(held.reply); held.push("a"); held.end()`. */
  gated(): Gate {
    return new Gate();
  },
} as const;

/** Splits before each run of white space, so that the pieces joined are the text. */
export function words(text: string): string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? (text === "" ? [] : [text]);
}

function isList(calls: ToolCall | readonly ToolCall[]): calls is readonly ToolCall[] {
  return Array.isArray(calls);
}
