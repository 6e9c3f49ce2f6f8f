import * as z from "zod";
import { AgentAsk, AskSettler, AskVerdict } from "./agent-ask.ts";
import { ToolCallDelta } from "./client-tool.ts";
import { Hash, Id, SessionKey } from "./identifier.ts";
import { Prompt } from "./prompt.ts";
import { Submit } from "./submit.ts";
import { TurnEnd } from "./turn-end.ts";
import { WireError } from "./wire-error.ts";

/** Gateway → worker, first frame. */
export const Attach = z.object({
  type: z.literal("attach"),
  protocol: z.number().int().positive(),
  /** Generation of the gateway; a later one is a later process. */
  gateway: z.number().int().nonnegative(),
  /** Generations below this one are dead: what is still unread of their links is never acted on. */
  fence: z.number().int().nonnegative(),
});
export type Attach = z.infer<typeof Attach>;

/** Worker → gateway, the answer to `attach`. */
export const Attached = z.object({
  type: z.literal("attached"),
  protocol: z.number().int().positive(),
  workspace: Id,
  epoch: z.number().int().positive(),
});
export type Attached = z.infer<typeof Attached>;

/** At most so many points of a transcript are named in one question. */
const MAX_POINTS = 64;
const Points = z.array(Hash).max(MAX_POINTS);

/**
 * Gateway → worker: which session is meant, and up to which point does its transcript agree with the client's?
 * `points` are hashes of the client's transcript, each after one of its messages, the latest first. By id: that
 * session. By scope: the one session that has the latest of these points (none where two have it: identity is never
 * guessed). By turn: the session of that turn of this caller, at the point where the turn ended.
 */
export const Locate = z.object({
  type: z.literal("locate"),
  request: z.number().int(),
  by: z.union([
    z.object({ session: Id, points: Points.optional() }),
    z.object({ scope: Hash, points: Points }),
    z.object({ turn: z.uuid(), caller: Hash }),
  ]),
});
export type Locate = z.infer<typeof Locate>;

/** Worker → gateway, the answer to `locate`. */
export const Located = z.object({
  type: z.literal("located"),
  request: z.number().int(),
  session: Id.optional(),
  /** Whose it is: turns of another agent are not for it. */
  agent: Id.optional(),
  /** What its agent sees as its name. */
  key: SessionKey.optional(),
  /** The latest of the points that its transcript has and a turn can follow; absent: there is none. */
  point: Hash.optional(),
  /** Its transcript ends there; otherwise a turn that follows that point branches off. */
  isHead: z.boolean().optional(),
  /** Its agent lost the conversation: why. A turn for it begins a new one, seeded with what the request tells. */
  reset: z.string().optional(),
});
export type Located = z.infer<typeof Located>;

/**
 * Gateway → worker: is there a turn of this caller? By `key` one that ran or runs for it; by `body` or `prompt`
 * the latest one that runs, or was admitted within `retryMs`, whose client never took its end and which no gateway
 * follows.
 */
export const FindTurn = z.object({
  type: z.literal("find_turn"),
  request: z.number().int(),
  caller: Hash,
  by: z.union([
    z.object({ key: Hash }),
    z.object({ body: Hash }),
    z.object({ prompt: Hash }),
    z.object({ turn: z.uuid() }),
  ]),
});
export type FindTurn = z.infer<typeof FindTurn>;

/** A turn as its journal has it. */
export const TurnInfo = z.object({
  turn: z.uuid(),
  session: Id,
  agent: Id,
  state: z.enum(["accepted", "started", "completed", "failed", "cancelled", "interrupted"]),
  /** Of the request that it was made for. */
  body: Hash,
  prompt: Hash,
  /** Sequence number of its last event so far. */
  seq: z.number().int().nonnegative(),
  acceptedAt: z.number().int(),
  endedAt: z.number().int().optional(),
  /** How it ended. */
  end: TurnEnd.optional(),
});
export type TurnInfo = z.infer<typeof TurnInfo>;

/** Worker → gateway, the answer to `find_turn`. */
export const FoundTurn = z.object({
  type: z.literal("found_turn"),
  request: z.number().int(),
  turn: TurnInfo.optional(),
});
export type FoundTurn = z.infer<typeof FoundTurn>;

/** Worker → gateway, in place of the answer to `locate` or `find_turn`: it cannot be told now. */
export const Unanswered = z.object({
  type: z.literal("unanswered"),
  request: z.number().int(),
  error: WireError,
});
export type Unanswered = z.infer<typeof Unanswered>;

/**
 * Gateway → worker: send this turn's events with a higher sequence number than `after`, then those to come,
 * on this link; a second `follow` takes the place of the first. Answered by `gone` where that is not possible.
 */
export const Follow = z.object({
  type: z.literal("follow"),
  turn: z.uuid(),
  after: z.number().int().nonnegative(),
});
export type Follow = z.infer<typeof Follow>;

/** Gateway → worker: the client has the turn's end; a retry without a key is a request of its own from now on. */
export const Taken = z.object({ type: z.literal("taken"), turn: z.uuid() });
export type Taken = z.infer<typeof Taken>;

/** Gateway → worker: stop this turn. Never sent for a gateway that dies: turns outlive it. */
export const CancelTurn = z.object({ type: z.literal("cancel_turn"), turn: z.uuid(), reason: z.string() });
export type CancelTurn = z.infer<typeof CancelTurn>;

/** Worker → gateway: the turn stands in the journal. */
export const Accepted = z.object({
  type: z.literal("accepted"),
  turn: z.uuid(),
  /** The session was begun anew for it: why. */
  reset: z.string().optional(),
});
export type Accepted = z.infer<typeof Accepted>;

/** Worker → gateway: not accepted, nothing was run, nothing is journaled. */
export const Refused = z.object({ type: z.literal("refused"), turn: z.uuid(), error: WireError });
export type Refused = z.infer<typeof Refused>;

/** Events of one turn are numbered from 1, without gaps; its end has the last number. */
const Seq = z.number().int().positive();

/** Worker → gateway: text of the answer, in order and without repetition. */
export const Delta = z.object({ type: z.literal("delta"), turn: z.uuid(), seq: Seq, text: z.string() });
export type Delta = z.infer<typeof Delta>;

/** Worker → gateway: thinking and tool activity; never part of the answer. */
export const Reasoning = z.object({
  type: z.literal("reasoning"),
  turn: z.uuid(),
  seq: Seq,
  text: z.string(),
});
export type Reasoning = z.infer<typeof Reasoning>;

/** Worker → gateway: the agent calls a function of the client's. */
export const ToolCalled = z.object({
  type: z.literal("tool_called"),
  turn: z.uuid(),
  seq: Seq,
  call: ToolCallDelta,
});
export type ToolCalled = z.infer<typeof ToolCalled>;

/**
 * Gateway → worker: say this to the agent within its running turn, as soon as it takes something up. Answered by
 * `steered`, at the latest when the turn ends.
 */
export const Steer = z.object({
  type: z.literal("steer"),
  request: z.number().int(),
  turn: z.uuid(),
  message: z.uuid(),
  prompt: Prompt,
});
export type Steer = z.infer<typeof Steer>;

/**
 * Gateway → worker: its client takes a `steer` back. Answered by that one's `steered`, which says whether it was too
 * late.
 */
export const WithdrawSteer = z.object({
  type: z.literal("withdraw_steer"),
  turn: z.uuid(),
  message: z.uuid(),
});
export type WithdrawSteer = z.infer<typeof WithdrawSteer>;

/** Worker → gateway, the answer to `steer`. */
export const Steered = z.object({
  type: z.literal("steered"),
  request: z.number().int(),
  /** The number of the turn's last event before the agent took the message up; absent: it did not, and never will. */
  after: z.number().int().nonnegative().optional(),
});
export type Steered = z.infer<typeof Steered>;

/** Worker → gateway: the agent asks a person; the turn stands still till the ask is settled. */
export const Asked = z.object({ type: z.literal("asked"), turn: z.uuid(), seq: Seq, ask: AgentAsk });
export type Asked = z.infer<typeof Asked>;

/** Worker → gateway: an ask of this turn has its verdict. */
export const AskSettled = z.object({
  type: z.literal("ask_settled"),
  turn: z.uuid(),
  seq: Seq,
  ask: z.uuid(),
  behavior: AskVerdict.shape.behavior,
  by: AskSettler,
});
export type AskSettled = z.infer<typeof AskSettled>;

/** Worker → gateway: the one end of an accepted turn. */
export const Ended = z.object({ type: z.literal("ended"), turn: z.uuid(), seq: Seq, end: TurnEnd });
export type Ended = z.infer<typeof Ended>;

/** Worker → gateway: the turn cannot be followed: unknown here (no `end`), or its beginning is not kept any more. */
export const Gone = z.object({ type: z.literal("gone"), turn: z.uuid(), end: TurnEnd.optional() });
export type Gone = z.infer<typeof Gone>;

/**
 * Worker → gateway, at once and after each change: until when (epoch ms) Claude's API takes nothing from the
 * account that its headless agents use; absent: it does.
 */
export const AccountHeld = z.object({ type: z.literal("account_held"), until: z.number().int().optional() });
export type AccountHeld = z.infer<typeof AccountHeld>;

/** Every frame a gateway sends to a worker. */
export const GatewayFrame = z.discriminatedUnion("type", [
  Attach,
  Locate,
  FindTurn,
  Submit,
  Follow,
  Taken,
  CancelTurn,
  Steer,
  WithdrawSteer,
]);
export type GatewayFrame = z.infer<typeof GatewayFrame>;

/** Every frame a worker sends to a gateway. */
export const WorkerFrame = z.discriminatedUnion("type", [
  Attached,
  Located,
  FoundTurn,
  Unanswered,
  Accepted,
  Refused,
  Delta,
  Reasoning,
  ToolCalled,
  Asked,
  AskSettled,
  Steered,
  Ended,
  Gone,
  AccountHeld,
]);
export type WorkerFrame = z.infer<typeof WorkerFrame>;
