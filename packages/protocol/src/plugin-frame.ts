import * as z from "zod";
import { Ask, AskWithdrawn, Verdict } from "./ask.ts";
import { Attachment } from "./attachment.ts";
import { ReceivedFile } from "./received-file.ts";

/** The turn that a frame speaks for, and its place among the frames of that turn. */
const ofTurn = {
  /** The turn it answers. One that names another turn than the running one is unsolicited (P-6). */
  message_id: z.string().max(128).optional(),
  /** With capability `seq`: its number within the turn, from 1 (P-13). */
  seq: z.number().int().positive().optional(),
  /** The `hello_ack.epoch` of the connection it is meant for (P-14). */
  epoch: z.number().int().positive().optional(),
};

/** Plugin → worker, first frame (P-1). `pid` is for the log only: nothing is decided by it. */
export const Hello = z.looseObject({
  type: z.literal("hello"),
  pid: z.number().int(),
  /** Must be the value of `SYNTHESIS_SESSION_KEY`; the token, not this, decides the session (P-2). */
  openclaw_session: z.string().max(1024),
  protocol: z.number().int().positive().optional(),
  capabilities: z.array(z.string().max(64)).max(32).optional(),
  /** After a reconnect: the `message_id` of the turn this peer is still answering (P-7). */
  resumes: z.string().max(128).optional(),
});
export type Hello = z.infer<typeof Hello>;

/** Worker → plugin, the answer to `hello`. The fields beside `type` only for a peer that named its protocol. */
export const HelloAck = z.looseObject({
  type: z.literal("hello_ack"),
  protocol: z.number().int().positive().optional(),
  /** How often the worker pings, in ms; a socket that misses one is terminated. */
  ping_interval_ms: z.number().int().positive().optional(),
  /** What this bridge takes up of `hello.capabilities`. */
  capabilities: z.array(z.string()).optional(),
  /** The how-manieth connection with this token it is (P-14). */
  epoch: z.number().int().positive().optional(),
  limits: z
    .looseObject({
      /** The largest message it takes, in bytes (P-11). */
      frame_bytes: z.number().int().positive(),
      /** How many frames a connection may send per second, and how many at once (P-19). */
      frames_per_second: z.number().int().positive(),
    })
    .optional(),
  /** The `message_id` of the turn that was asked of this agent and has not ended. */
  turn: z.string().optional(),
  /**
   * How many frames of the turn that `hello.resumes` names, or else of `turn`, have arrived; 0 also where that turn
   * is not known (P-7).
   */
  received: z.number().int().nonnegative().optional(),
});
export type HelloAck = z.infer<typeof HelloAck>;

/** Worker → plugin: one turn's prompt. `meta.message_id` is the turn's id (a UUID). */
export const Inbound = z.looseObject({
  type: z.literal("inbound"),
  content: z.string(),
  meta: z.looseObject({
    chat_id: z.string(),
    message_id: z.string(),
    ts: z.string(),
  }),
  /** With capability `received_files`: what the client sent beside text, in the order of the prompt (P-20). */
  attachments: z.array(ReceivedFile).optional(),
});
export type Inbound = z.infer<typeof Inbound>;

/** Plugin → worker: a part of the answer; `final` absent or true ends the turn (P-5). */
export const Reply = z.looseObject({
  type: z.literal("reply"),
  content: z.string(),
  final: z.boolean().optional(),
  attachments: z.array(Attachment).max(16).optional(),
  ...ofTurn,
});
export type Reply = z.infer<typeof Reply>;

/** Plugin → worker: the turn failed; `message` reaches the client as an error, never as answer text. */
export const Failure = z.looseObject({
  type: z.literal("failure"),
  message: z.string().max(4096),
  ...ofTurn,
});
export type Failure = z.infer<typeof Failure>;

/** Plugin → worker: still at work; keeps the stall deadline away. `text` is shown as reasoning. */
export const Progress = z.looseObject({
  type: z.literal("progress"),
  text: z.string().optional(),
  ...ofTurn,
});
export type Progress = z.infer<typeof Progress>;

/** Plugin → worker: the agent has the turn's prompt before it (P-15). */
export const Seen = z.looseObject({ type: z.literal("seen"), ...ofTurn, message_id: z.string().max(128) });
export type Seen = z.infer<typeof Seen>;

/** Plugin → worker: the agent has ended the turn; `text` is what it said last, for the case that nothing was replied (P-16). */
export const TurnOver = z.looseObject({
  type: z.literal("turn_over"),
  text: z.string().optional(),
  ...ofTurn,
  message_id: z.string().max(128),
});
export type TurnOver = z.infer<typeof TurnOver>;

/** Worker → plugin with capability `cancel`: stop the turn. */
export const Cancel = z.looseObject({ type: z.literal("cancel"), message_id: z.string() });
export type Cancel = z.infer<typeof Cancel>;

/** Plugin → worker: the cancelled turn has stopped; nothing more will be said for it. */
export const Cancelled = z.looseObject({
  type: z.literal("cancelled"),
  ...ofTurn,
  message_id: z.string().max(128),
});
export type Cancelled = z.infer<typeof Cancelled>;

/** Worker → plugin with capability `seq`: the turn's frames up to this number have arrived. */
export const Ack = z.looseObject({
  type: z.literal("ack"),
  message_id: z.string(),
  seq: z.number().int().positive(),
});
export type Ack = z.infer<typeof Ack>;

/** Either way; answered by `pong`. */
export const Ping = z.looseObject({ type: z.literal("ping") });
export type Ping = z.infer<typeof Ping>;

/** Either way; the answer to `ping`. */
export const Pong = z.looseObject({ type: z.literal("pong") });
export type Pong = z.infer<typeof Pong>;

/** The frames of which a turn's answer consists: counted, and numbered where the peer numbers. */
export const TurnFrame = z.discriminatedUnion("type", [Reply, Failure, Progress, Seen, TurnOver, Cancelled]);
export type TurnFrame = z.infer<typeof TurnFrame>;

/** Every frame a plugin may send. */
export const PluginFrame = z.discriminatedUnion("type", [
  Hello,
  ...TurnFrame.options,
  Ask,
  AskWithdrawn,
  Ping,
  Pong,
]);
export type PluginFrame = z.infer<typeof PluginFrame>;

/** Every frame a plugin may receive. */
export const BridgeFrame = z.discriminatedUnion("type", [
  HelloAck,
  Inbound,
  Cancel,
  Ack,
  Verdict,
  Ping,
  Pong,
]);
export type BridgeFrame = z.infer<typeof BridgeFrame>;
