import type { ChatMessage } from "../openai/chat-request.ts";
import { textOf } from "../openai/chat-request.ts";

/*
 * What OpenClaw (measured with 2026.9.6) adds afresh to each request: a last user message with its internal
 * context, and a `Runtime:` line at the end of the first user message, which describes the current turn.
 */
const INTERNAL_CONTEXT =
  /^\s*<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[\s\S]*<<<END_OPENCLAW_INTERNAL_CONTEXT>>>\s*$/;
const RUNTIME_LINE = /(?:^|\n)Runtime: ([^\n]*)(?=\s*$)/;

/** The session that OpenClaw's Runtime line names, in the first user message or else in the system prompt. */
export function runtimeSession(messages: readonly ChatMessage[]): string | undefined {
  for (const role of ["user", "system"]) {
    const message = messages.find((candidate) => candidate.role === role);
    const line = message && RUNTIME_LINE.exec(textOf(message))?.[1];
    const session = line?.split(" | ").find((field) => field.startsWith("session="));
    if (session) return session.slice("session=".length);
  }
  return undefined;
}

/** The messages as the person and the agent wrote them. */
export function withoutDecoration(messages: readonly ChatMessage[]): ChatMessage[] {
  const own = messages.filter(
    (message) => message.role !== "user" || !INTERNAL_CONTEXT.test(textOf(message)),
  );
  const first = own.findIndex(({ role }) => role === "user");
  return own.map((message, index) => (index === first ? withoutRuntime(message) : message));
}

function withoutRuntime(message: ChatMessage): ChatMessage {
  const { content } = message;
  if (typeof content === "string") return { ...message, content: cut(content) };
  if (!Array.isArray(content)) return message;
  const parts = content.map((part) => (part.text === undefined ? part : { ...part, text: cut(part.text) }));
  return { ...message, content: parts.filter(({ type, text }) => type !== "text" || text !== "") };
}

function cut(text: string): string {
  return text.replace(RUNTIME_LINE, "").trimEnd();
}

/** OpenClaw's stamp before each user text, which a retry gets anew. */
const TIME_STAMP = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2} [^\]]{1,40}\] /;
const RETRY_HEAD =
  "[Queued user message from a previous active turn; preserved as context only. Continue with the active prompt below.]\n";
const RETRY_TAIL = "\n\nContinue the current task from the existing transcript";

/** A prompt without what OpenClaw's own retry puts around it, and whether it did. */
export function withoutRetryWords(prompt: string): { readonly prompt: string; readonly isRetry: boolean } {
  const text = prompt.replace(TIME_STAMP, "");
  const tail = text.indexOf(RETRY_TAIL);
  if (tail === -1) return { prompt: text, isRetry: false };
  const asked = text.slice(0, tail);
  const own = asked.startsWith(RETRY_HEAD) ? asked.slice(RETRY_HEAD.length) : asked;
  return { prompt: own.replace(TIME_STAMP, ""), isRetry: true };
}
