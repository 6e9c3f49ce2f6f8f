import * as z from "zod";

/**
 * What a plugin may say that it can do, in `hello.capabilities`; `hello_ack.capabilities` says which of it this
 * bridge takes up. Unknown names are ignored by both sides.
 */
export const PluginCapability = z.enum([
  /** Understands `cancel` and answers each with `cancelled` (or with the turn's last `reply`). */
  "cancel",
  /** Numbers the frames of a turn and understands `ack` (P-13). */
  "seq",
  /** Says `seen` when its agent has a prompt before it (P-15). */
  "seen",
  /** Says `turn_over` when its agent has ended a turn, answered or not (P-16). */
  "turn_over",
  /** Says `ask` where its agent needs a permission, and understands `verdict` (P-17). */
  "asks",
  /** May send files with a `reply` (P-18). */
  "attachments",
  /** Understands `inbound.attachments` (P-20). */
  "received_files",
]);
export type PluginCapability = z.infer<typeof PluginCapability>;
