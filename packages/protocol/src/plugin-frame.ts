import * as z from "zod";

/** What a peer may say it can do, in `hello.capabilities`. Unknown names are ignored by both sides. */
export const PluginCapability = z.enum([
  /** Understands `cancel` and answers each with `cancelled` (or with the turn's last `reply`). */
  "cancel",
]);
export type PluginCapability = z.infer<typeof PluginCapability>;

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
  /** With `hello.resumes`: how many frames of that turn have arrived; 0 also where it is not known (P-7). */
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
});
export type Inbound = z.infer<typeof Inbound>;

/** Plugin → worker: a part of the answer; `final` absent or true ends the turn (P-5). */
export const Reply = z.looseObject({
  type: z.literal("reply"),
  content: z.string(),
  final: z.boolean().optional(),
  /** The turn it answers. A reply that names another turn than the running one is unsolicited (P-6). */
  message_id: z.string().max(128).optional(),
});
export type Reply = z.infer<typeof Reply>;

/** Plugin → worker: the turn failed; `message` reaches the client as an error, never as answer text. */
export const Failure = z.looseObject({
  type: z.literal("failure"),
  message: z.string().max(4096),
  message_id: z.string().max(128).optional(),
});
export type Failure = z.infer<typeof Failure>;

/** Plugin → worker: still at work; keeps the stall deadline away. `text` is shown as reasoning. */
export const Progress = z.looseObject({
  type: z.literal("progress"),
  text: z.string().optional(),
  message_id: z.string().max(128).optional(),
});
export type Progress = z.infer<typeof Progress>;

/** Worker → plugin with capability `cancel`: stop the turn. */
export const Cancel = z.looseObject({ type: z.literal("cancel"), message_id: z.string() });
export type Cancel = z.infer<typeof Cancel>;

/** Plugin → worker: the cancelled turn has stopped; nothing more will be said for it. */
export const Cancelled = z.looseObject({ type: z.literal("cancelled"), message_id: z.string().max(128) });
export type Cancelled = z.infer<typeof Cancelled>;

/** Either way; answered by `pong`. */
export const Ping = z.looseObject({ type: z.literal("ping") });
export type Ping = z.infer<typeof Ping>;

/** Either way; the answer to `ping`. */
export const Pong = z.looseObject({ type: z.literal("pong") });
export type Pong = z.infer<typeof Pong>;

/** Every frame a plugin may send. */
export const PluginFrame = z.discriminatedUnion("type", [
  Hello,
  Reply,
  Failure,
  Progress,
  Cancelled,
  Ping,
  Pong,
]);
export type PluginFrame = z.infer<typeof PluginFrame>;

/** Every frame a plugin may receive. */
export const BridgeFrame = z.discriminatedUnion("type", [HelloAck, Inbound, Cancel, Ping, Pong]);
export type BridgeFrame = z.infer<typeof BridgeFrame>;
