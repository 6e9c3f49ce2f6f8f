import * as z from "zod";
import { ClientTool } from "./client-tool.ts";
import { Hash, Id, SessionKey } from "./identifier.ts";
import { Prompt } from "./prompt.ts";
import { Said } from "./said.ts";

/** What a turn is found by when its request comes again: hashes, within one API key, agent and workspace. */
export const RequestIdentity = z.object({
  /** Of API key and agent: a request is never matched with that of another. */
  caller: Hash,
  /** Of its `Idempotency-Key`. */
  key: Hash.optional(),
  /** Of its body. */
  body: Hash,
  /** Of what it asked, without what a client's own retry adds. */
  prompt: Hash,
});
export type RequestIdentity = z.infer<typeof RequestIdentity>;

/**
 * Gateway → worker: one turn, handed over when it leaves the session's FIFO; its events follow on this link.
 * Sent again for the same turn (the link was lost before `accepted` came) it only follows.
 */
export const Submit = z.object({
  type: z.literal("submit"),
  turn: z.uuid(),
  /** By what a repetition of its request finds it. */
  request: RequestIdentity,
  session: z.object({
    id: Id,
    /** What the agent sees as the session's name. */
    key: SessionKey,
    agent: Id,
    /** Caller, user and agent; transcripts are compared within one scope only. */
    scope: Hash,
  }),
  /** Absent: nothing that may be a verdict on an ask. */
  said: Said.optional(),
  /** The Claude model asked for, where it differs from the agent's own. */
  model: Id.optional(),
  /** How hard the agent is to think, in Claude's words. */
  effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
  /** The client's system prompt. */
  instructions: z.string().optional(),
  /** Which instructions they are, where their text changes also when they do not mean to. Absent: their text says it. */
  instructionsHash: Hash.optional(),
  /** Functions of the client's that the agent may call in this turn. */
  tools: z.array(ClientTool).optional(),
  /** It must call one of them, or the one of this name: without that its answer is `tool_choice_unmet`. */
  mustCall: z.object({ name: ClientTool.shape.name.optional() }).optional(),
  /** JSON Schema that the answer must meet. */
  answerSchema: z.record(z.string(), z.unknown()).optional(),
  prompt: Prompt,
  /** The prompt relies on earlier messages: refuse with `session_lost` unless the agent remembers them. */
  needsMemory: z.boolean(),
  /** The transcript hash with this prompt, to which the worker adds the answer; absent: its transcript is not known. */
  transcript: Hash.optional(),
  /**
   * The point of the session's transcript that the prompt goes on from. Where it is not its end the conversation
   * branches off there; `history_changed` where the session does not have it. Absent: its end, whatever that is.
   */
  follows: Hash.optional(),
  /** The session that has that point; the turn's own session is new, and branches off there. */
  branchOf: Id.optional(),
  /** A question beside all conversations: nothing of it is remembered, and the agent gets no tools of its own. */
  isStateless: z.literal(true).optional(),
  /** Its client reads the answer when that has ended: to be answered by it, a question must end the answer. */
  isReadWhole: z.literal(true).optional(),
  /** Where the client finds files: that of id X at `/X/content` below it. Absent: they are only named to it. */
  filesUrl: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
});
export type Submit = z.infer<typeof Submit>;
