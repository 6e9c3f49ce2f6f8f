import type { ContentPart } from "@synthesis/protocol";
import type { TurnRequest, Message } from "../turn-request/turn-request.ts";
import { lastingInstructions, openclawInstructions } from "./openclaw-instructions.ts";

/*
 * What OpenClaw (measured with 2026.9.6) adds afresh to each request: a last user message with its internal
 * context, and a `Runtime:` line at the end of the first user message, which describes the current turn.
 */
const INTERNAL_CONTEXT =
  /^\s*<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[\s\S]*<<<END_OPENCLAW_INTERNAL_CONTEXT>>>\s*$/;
const RUNTIME = "Runtime: ";
const SUMMARIZER = "You are a context summarization assistant";

type UserMessage = Extract<Message, { role: "user" }>;

/** A request of OpenClaw's, without what it adds. */
export interface OpenclawRequest {
  readonly turnRequest: TurnRequest;
  /** The session that its Runtime line names. */
  readonly session: string | undefined;
  /** It is OpenClaw's own: a compaction, a title, a probe. Such ones carry the session's id too. */
  readonly isSideRequest: boolean;
}

/** Takes a request of OpenClaw's for what its user asks. */
export function readOpenclaw(turnRequest: TurnRequest): OpenclawRequest {
  const { messages, instructions = "", tools } = turnRequest;
  const own = messages.filter((message) => !isInternalContext(message));
  const first = own.findIndex(({ role }) => role === "user");
  const message = own[first];
  const said = message?.role === "user" ? withoutRuntime(message) : undefined;
  const system = cutRuntime(instructions);
  const runtime = said?.line ?? system.line;
  const lasting = lastingInstructions(system.text);
  return {
    turnRequest: {
      ...turnRequest,
      messages: said === undefined ? own : own.with(first, said.message),
      instructions: openclawInstructions(system.text) || undefined,
      ...(lasting === undefined ? {} : { lastingInstructions: lasting }),
    },
    session: runtime
      ?.split(" | ")
      .find((field) => field.startsWith("session="))
      ?.slice("session=".length),
    isSideRequest: instructions.startsWith(SUMMARIZER) || (runtime === undefined && tools.length === 0),
  };
}

function isInternalContext(message: Message): boolean {
  const [part, ...more] = message.role === "user" ? message.parts : [];
  return part?.type === "text" && more.length === 0 && INTERNAL_CONTEXT.test(part.text);
}

function withoutRuntime({ role, parts }: UserMessage): { line: string | undefined; message: UserMessage } {
  let line: string | undefined;
  const own = parts.flatMap((part): readonly ContentPart[] => {
    if (part.type !== "text") return [part];
    const cut = cutRuntime(part.text);
    if (cut.line === undefined) return [part];
    line = cut.line;
    return cut.text === "" ? [] : [{ ...part, text: cut.text }];
  });
  return { line, message: { role, parts: own } };
}

/** A text without the Runtime line that it ends with. */
function cutRuntime(text: string): { readonly text: string; readonly line?: string } {
  const at = text.lastIndexOf(RUNTIME);
  const line = text.slice(at + RUNTIME.length).trimEnd();
  if (at === -1 || (at > 0 && text[at - 1] !== "\n") || line.includes("\n")) return { text };
  return { text: text.slice(0, at).trimEnd(), line };
}
