import { WireFailure } from "@synthesis/protocol";
import * as z from "zod";

const Part = z.looseObject({ type: z.string(), text: z.string().optional() });

const ChatMessage = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: z.union([z.string(), z.array(Part)]).nullish(),
});
export type ChatMessage = z.infer<typeof ChatMessage>;

/** The body of `POST /v1/chat/completions`, as far as it is understood; `null` counts as absent. */
export const ChatRequest = z.looseObject({
  model: z.string().nullish(),
  messages: z.array(ChatMessage).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  metadata: z.looseObject({ session_id: z.string().nullish() }).nullish(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** Checks a parsed body. Throws `invalid_request` naming the field. */
export function parseChatRequest(body: unknown): ChatRequest {
  const parsed = ChatRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join(".") || "the body";
  throw new WireFailure("invalid_request", `${field}: ${issue?.message ?? "not a chat request"}`);
}

/** The text of a message: a string, or the text parts of an array joined by newlines. */
export function textOf({ content }: ChatMessage): string {
  if (typeof content === "string") return content;
  return (content ?? [])
    .flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []))
    .join("\n");
}

const understood: ReadonlySet<string> = new Set(Object.keys(ChatRequest.shape));
const MAX_NAMED = 20;

/** The names of fields that were sent and have no effect, for a header: none is swallowed silently. */
export function ignoredFields(request: ChatRequest): string[] {
  const fields = Object.entries(request)
    .filter(([name, value]) => !understood.has(name) && value != null && /^[a-z_]{1,40}$/.test(name))
    .map(([name]) => name);
  const roles = new Set<string>(request.messages.map(({ role }) => role));
  const messages = ["system", "developer"]
    .filter((role) => roles.has(role))
    .map((role) => `messages.${role}`);
  return [...fields, ...messages].slice(0, MAX_NAMED);
}
