import * as z from "zod";
import { TurnEnd } from "./turn-end.ts";
import { WireError } from "./wire-error.ts";

const Id = z.string().min(1).max(128);
const Hash = z.string().length(64);

/** Gateway → worker, first frame. */
export const Attach = z.object({ type: z.literal("attach"), protocol: z.number().int().positive() });
export type Attach = z.infer<typeof Attach>;

/** Worker → gateway, the answer to `attach`. */
export const Attached = z.object({
  type: z.literal("attached"),
  protocol: z.number().int().positive(),
  workspace: Id,
  epoch: z.number().int().positive(),
});
export type Attached = z.infer<typeof Attached>;

/**
 * Gateway → worker: which session is meant? By id: is it known here. By transcript: the one session of this
 * scope whose transcript hash is `head` (none where two have it: identity is never guessed).
 */
export const Locate = z.object({
  type: z.literal("locate"),
  request: z.number().int(),
  by: z.union([z.object({ session: Id }), z.object({ scope: Hash, head: Hash })]),
});
export type Locate = z.infer<typeof Locate>;

/** Worker → gateway, the answer to `locate`. */
export const Located = z.object({
  type: z.literal("located"),
  request: z.number().int(),
  session: Id.optional(),
});
export type Located = z.infer<typeof Located>;

/** Gateway → worker: one turn, handed over when it leaves the session's FIFO. */
export const Submit = z.object({
  type: z.literal("submit"),
  turn: z.uuid(),
  session: z.object({
    id: Id,
    /** What the agent sees as the session's name. */
    key: z.string().min(1).max(1024),
    agent: Id,
    /** Caller, user and agent; transcripts are compared within one scope only. */
    scope: Hash,
  }),
  /** The Claude model asked for, where it differs from the agent's own. */
  model: Id.optional(),
  prompt: z.string(),
  /**
   * The transcript hash with this prompt, to which the worker adds the answer. Absent for a session that is
   * named by a key: it is never found by its transcript.
   */
  transcript: Hash.optional(),
  /** Refuse with `history_changed` unless the session's transcript still has this hash. */
  expectHead: Hash.optional(),
});
export type Submit = z.infer<typeof Submit>;

/** Gateway → worker: stop this turn. Never sent for a gateway that dies: turns outlive it. */
export const CancelTurn = z.object({ type: z.literal("cancel_turn"), turn: z.uuid(), reason: z.string() });
export type CancelTurn = z.infer<typeof CancelTurn>;

/** Worker → gateway: the turn stands in the journal. */
export const Accepted = z.object({ type: z.literal("accepted"), turn: z.uuid() });
export type Accepted = z.infer<typeof Accepted>;

/** Worker → gateway: not accepted, nothing was run, nothing is journaled. */
export const Refused = z.object({ type: z.literal("refused"), turn: z.uuid(), error: WireError });
export type Refused = z.infer<typeof Refused>;

/** Worker → gateway: text of the answer, in order and without repetition. */
export const Delta = z.object({ type: z.literal("delta"), turn: z.uuid(), text: z.string() });
export type Delta = z.infer<typeof Delta>;

/** Worker → gateway: thinking and tool activity; never part of the answer. */
export const Reasoning = z.object({ type: z.literal("reasoning"), turn: z.uuid(), text: z.string() });
export type Reasoning = z.infer<typeof Reasoning>;

/** Worker → gateway: the one end of an accepted turn. */
export const Ended = z.object({ type: z.literal("ended"), turn: z.uuid(), end: TurnEnd });
export type Ended = z.infer<typeof Ended>;

/** Every frame a gateway sends to a worker. */
export const GatewayFrame = z.discriminatedUnion("type", [Attach, Locate, Submit, CancelTurn]);
export type GatewayFrame = z.infer<typeof GatewayFrame>;

/** Every frame a worker sends to a gateway. */
export const WorkerFrame = z.discriminatedUnion("type", [
  Attached,
  Located,
  Accepted,
  Refused,
  Delta,
  Reasoning,
  Ended,
]);
export type WorkerFrame = z.infer<typeof WorkerFrame>;
