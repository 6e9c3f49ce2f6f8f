import { printable } from "@synthesis/kit";
import {
  EMPTY_TRANSCRIPT,
  plainCallId,
  rollTranscript,
  type Prompt,
  type TranscriptCall,
} from "@synthesis/protocol";
import type { Message } from "./turn-request.ts";
import { partsOf, refuseEmpty, type ToolCalls } from "./prompt-parts.ts";
import { refuse } from "./read-shape.ts";
import { canonicalText, transcriptPoints } from "./transcript-points.ts";

/** A request's messages, with the hash of the transcript after each. */
export interface Conversation {
  readonly messages: readonly Message[];
  readonly points: readonly string[];
  /** Where what is new begins: after the last answer. */
  readonly newFrom: number;
  readonly calls: ToolCalls;
  readonly restarts: readonly Restart[];
}

/** How its last message reads where the agent's session has `point`: the agent was asked a part of it already. */
interface Restart {
  readonly point: string;
  readonly prompt: string;
  /** The transcript with this message. */
  readonly transcript: string;
}

/** What a client does to the texts of its user. */
export interface ClientWords {
  /** A text as far as it counts in a transcript: without what its client changes afterwards. */
  plain(text: string): string;
  /** Of a text, what its user wrote. */
  spoken(text: string): string;
  /** A text that repeats what may have been asked before; undefined: it is none. */
  readRestart(text: string): RestartWords | undefined;
}

export interface RestartWords {
  /** What to say to an agent that was not asked before. */
  readonly whole: string;
  /** What may have been asked before, what is new then, and what the transcript says of it later. */
  readonly readings: readonly {
    readonly asked: string;
    readonly rest: string;
    readonly later: string;
  }[];
}

export interface ConversationOptions {
  /** The transcript that the messages go on from. */
  readonly base?: string;
  readonly words?: ClientWords | undefined;
  /** Its messages are not the whole of it: a result needs no call among them. */
  readonly isPart?: boolean;
}

const asTheyAre: ClientWords = {
  plain: (text) => text,
  spoken: (text) => text,
  readRestart: () => undefined,
};
const MAX_CALL_ID = 256;
/** Names that agents can call, and those that other servers let them call. */
const FUNCTION_NAME = /^[A-Za-z0-9_.:/-]{1,128}$/;

/**
 * Takes a request's messages apart. Throws `invalid_request` where there is nothing to answer, or a result of no call,
 * or of one that has its result.
 */
export function readConversation(
  messages: readonly Message[],
  { base = EMPTY_TRANSCRIPT, words = asTheyAre, isPart = false }: ConversationOptions = {},
): Conversation {
  const newFrom = messages.findLastIndex(({ role }) => role === "assistant") + 1;
  // What follows any point of it is at least its last message.
  const last = messages.at(-1);
  if (last === undefined || isBlank(last)) refuseEmpty();
  const calls = readCalls(messages, isPart);
  const points = transcriptPoints(base, messages, words);
  const conversation = { messages, points, newFrom, calls, restarts: [] };
  return restarted(conversation, points.at(-2) ?? base, words);
}

/** Whether the agent has answered in it. */
export function hasAnswers({ newFrom }: Conversation): boolean {
  return newFrom > 0;
}

/** Whether it asks only what was asked before. */
export function isRepetition({ restarts }: Conversation): boolean {
  return restarts.some(({ point, transcript }) => point === transcript);
}

/** What its client says now. */
export function newPart({ messages, newFrom, calls }: Conversation): Prompt {
  return partsOf(messages.slice(newFrom), calls);
}

function restarted(conversation: Conversation, base: string, words: ClientWords): Conversation {
  const { messages } = conversation;
  const last = messages.at(-1);
  const read = last?.role === "user" ? words.readRestart(canonicalText(last.parts)) : undefined;
  if (last?.role !== "user" || read === undefined) return conversation;
  const { whole, readings } = read;
  const parts = [{ type: "text", text: whole } as const, ...last.parts.filter(({ type }) => type !== "text")];
  const after = (text: string) => rollTranscript(base, "user", text);
  return {
    ...conversation,
    messages: [...messages.slice(0, -1), { role: "user", parts }],
    restarts: readings
      .filter(({ rest }) => rest.trim() !== "")
      .map(({ asked, rest, later }) => ({ point: after(asked), prompt: rest, transcript: after(later) })),
  };
}

/** The calls that are answered, by the letters and digits of their ids. */
function readCalls(messages: readonly Message[], isPart: boolean): ToolCalls {
  const calls = new Map<string, TranscriptCall>();
  /** Each result is told with its call: two of the same would multiply it. */
  const answered = new Set<string>();
  for (const message of messages) {
    if (message.role === "user") continue;
    if (message.role === "assistant") {
      for (const call of message.calls) {
        if (!FUNCTION_NAME.test(call.name)) refuse("messages", nameless(call));
        const id = plainCallId(call.id);
        calls.set(id, call);
        answered.delete(id);
      }
      continue;
    }
    const id = plainCallId(message.call);
    if (id === "" || message.call.length > MAX_CALL_ID)
      refuse(
        "messages",
        `the id of a call must have letters or digits, and at most ${MAX_CALL_ID} characters`,
      );
    if (!isPart && !calls.has(id))
      refuse(
        "messages",
        `no call before it has the id "${id}" of a function's result: send the assistant's message with the call before the result`,
      );
    if (answered.has(id))
      refuse("messages", `there are two results of the call "${id}": send one, with all that came of it`);
    answered.add(id);
  }
  return calls;
}

function nameless({ name }: TranscriptCall): string {
  const shown = printable(name.slice(0, MAX_SHOWN));
  return `a call is of a function "${shown}": a name has 1 to 128 letters, digits or _.:/-`;
}

const MAX_SHOWN = 64;

function isBlank(message: Message): boolean {
  if (message.role !== "user") return message.role === "assistant";
  return message.parts.every((part) => part.type === "text" && part.text.trim() === "");
}
