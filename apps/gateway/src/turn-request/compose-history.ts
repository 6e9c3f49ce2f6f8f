import { EMPTY_TRANSCRIPT, type Prompt, type Submit } from "@synthesis/protocol";
import { hasAnswers, newPart, type Conversation } from "./conversation.ts";
import { partsOf, seededPrompt } from "./prompt-parts.ts";

/** How a worker's session and a request's conversation go together. */
export type Match =
  /** The session is new, or has nothing that this conversation goes on from. */
  | { readonly type: "unknown" | "other" }
  /** It belongs to no conversation, and is to be remembered by none. */
  | { readonly type: "stateless" }
  /** The conversation is a part, to be added to whatever the session has. */
  | { readonly type: "append"; readonly isRemembered: boolean }
  /** Its agent does not remember it: it goes on, and begins anew. */
  | { readonly type: "lost" }
  /** They agree up to this point, which is the session's end. */
  | { readonly type: "head"; readonly point: string }
  /** They agree up to this point, an earlier one of this session, or of `of`. */
  | { readonly type: "earlier"; readonly point: string; readonly of?: string | undefined };

/** What became of the request's history, in the log's words. */
type HistoryOutcome = "new" | "appended" | "continued" | "branched" | "seeded";

/** The part of an order that depends on what the session knows. */
export interface OrderedHistory {
  readonly outcome: HistoryOutcome;
  readonly order: Pick<
    Submit,
    "prompt" | "needsMemory" | "transcript" | "follows" | "branchOf" | "isStateless"
  >;
}

/** What an agent is told of a conversation. */
export function composeHistory(conversation: Conversation, match: Match): OrderedHistory {
  const whole = () => ({
    needsMemory: false,
    prompt: told(conversation, 0),
    transcript: transcriptOf(conversation),
  });
  const isSeeded = hasAnswers(conversation);
  switch (match.type) {
    case "unknown":
    case "lost":
      return { outcome: isSeeded ? "seeded" : "new", order: whole() };
    case "other":
      return { outcome: isSeeded ? "seeded" : "new", order: { ...whole(), follows: EMPTY_TRANSCRIPT } };
    case "stateless": {
      const { prompt, needsMemory } = whole();
      return { outcome: "new", order: { prompt, needsMemory, isStateless: true } };
    }
    case "append":
      return match.isRemembered
        ? { outcome: "appended", order: { needsMemory: true, prompt: newPart(conversation) } }
        : {
            outcome: isSeeded ? "seeded" : "appended",
            order: { needsMemory: false, prompt: told(conversation, 0) },
          };
    case "head":
      return { outcome: "continued", order: goingOn(conversation, match.point) };
    case "earlier": {
      const branch = match.of === undefined ? {} : { branchOf: match.of };
      return { outcome: "branched", order: { ...goingOn(conversation, match.point), ...branch } };
    }
  }
}

/** The match, where the session's agent turns out not to remember. */
export function forgotten(match: Match): Match {
  switch (match.type) {
    case "head":
      return { type: "lost" };
    case "append":
      return { ...match, isRemembered: false };
    case "earlier":
      return { type: "other" };
    case "unknown":
    case "other":
    case "lost":
    case "stateless":
      return match;
  }
}

/** The points to look for in a session, the latest first. The last message itself must be left to say. */
export function pointsBefore({ points, restarts }: Conversation): readonly string[] {
  return [...points.slice(0, -1), ...restarts.map(({ point }) => point).toReversed()];
}

function goingOn(conversation: Conversation, point: string): OrderedHistory["order"] {
  const { points, restarts } = conversation;
  const restart = restarts.find((each) => each.point === point);
  if (restart !== undefined) {
    const { prompt, transcript } = restart;
    return { needsMemory: true, follows: point, prompt, transcript };
  }
  const prompt = told(conversation, points.slice(0, -1).lastIndexOf(point) + 1);
  return { needsMemory: true, follows: point, prompt, transcript: transcriptOf(conversation) };
}

/** The messages from one on, the answers among them as an account. */
function told({ messages, newFrom, calls }: Conversation, from: number): Prompt {
  const rest = messages.slice(from);
  return from < newFrom ? seededPrompt(rest, calls) : partsOf(rest, calls);
}

function transcriptOf({ points }: Conversation): string {
  return points.at(-1) ?? EMPTY_TRANSCRIPT;
}
