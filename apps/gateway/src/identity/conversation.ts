import { EMPTY_TRANSCRIPT, rollTranscript, WireFailure } from "@synthesis/protocol";
import { textOf, type ChatMessage } from "../openai/chat-request.ts";

/** A request's messages, taken apart. */
export interface Conversation {
  /** What to answer: the text of the latest user message. */
  readonly prompt: string;
  /** The messages before it, without instructions. */
  readonly earlier: readonly ChatMessage[];
  /** The transcript hash before and after the prompt. */
  readonly hashBefore: string;
  readonly hashAfter: string;
}

const instructions: ReadonlySet<string> = new Set(["system", "developer"]);

/** Throws `invalid_request` where there is nothing to answer. */
export function readConversation(messages: readonly ChatMessage[]): Conversation {
  const latest = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[latest];
  if (message === undefined)
    throw new WireFailure("invalid_request", "messages: there is no user message to answer");
  const foreign = Array.isArray(message.content)
    ? message.content.find(({ type }) => type !== "text")
    : undefined;
  if (foreign)
    throw new WireFailure(
      "invalid_request",
      `messages.${latest}.content: parts of type "${foreign.type.slice(0, 40)}" are not taken: send text`,
    );
  const prompt = textOf(message);
  if (prompt.trim() === "")
    throw new WireFailure("invalid_request", `messages.${latest}.content: the user message is empty`);
  const earlier = messages.slice(0, latest).filter(({ role }) => !instructions.has(role));
  const hashBefore = earlier.reduce(
    (hash, item) => rollTranscript(hash, hashRole(item), textOf(item)),
    EMPTY_TRANSCRIPT,
  );
  return { prompt, earlier, hashBefore, hashAfter: rollTranscript(hashBefore, "user", prompt) };
}

/** The prompt for a session that does not know the earlier messages: it is told them. */
export function seededPrompt({ earlier, prompt }: Conversation): string {
  const told = earlier
    .map((message) => `<message role="${message.role}">\n${textOf(message)}\n</message>`)
    .join("\n");
  return `<conversation_so_far>\n${told}\n</conversation_so_far>\n\nThe conversation goes on. The user now says:\n\n${prompt}`;
}

function hashRole({ role }: ChatMessage): "user" | "assistant" | "tool" {
  return role === "user" || role === "assistant" ? role : "tool";
}
