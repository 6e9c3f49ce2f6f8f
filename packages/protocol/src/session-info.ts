import * as z from "zod";
import { ErrorCode } from "./wire-error.ts";

const Timestamp = z.number().int().nonnegative();

/** A session as its worker knows it. Times are epoch ms. */
export const SessionInfo = z.object({
  id: z.string(),
  /** What its agent sees as its name. */
  key: z.string(),
  agent: z.string(),
  /**
   * asking: its agent waits for a person's verdict. running: it has a turn that is not over. idle: a process waits for
   * its next turn. cold: that turn starts one.
   */
  state: z.enum(["cold", "idle", "running", "asking"]),
  createdAt: Timestamp,
  /** When its last turn was accepted. */
  usedAt: Timestamp,
  /** How many of its turns are remembered. */
  turns: z.number().int().nonnegative(),
  /** Of its agent process, while there is one. */
  pid: z.number().int().positive().optional(),
  /** Claude's session id, of a session of Claude's that was told a prompt. */
  agentSession: z.string().optional(),
  /** The session that it branched off. */
  branchOf: z.string().optional(),
});
export type SessionInfo = z.infer<typeof SessionInfo>;

/** A turn of a session. Times are epoch ms. */
export const SessionTurn = z.object({
  id: z.uuid(),
  state: z.enum(["accepted", "started", "completed", "failed", "cancelled", "interrupted"]),
  acceptedAt: Timestamp,
  endedAt: Timestamp.optional(),
  /** Why it did not complete. */
  errorCode: ErrorCode.optional(),
});
export type SessionTurn = z.infer<typeof SessionTurn>;

/** `GET /sessions` on a worker's socket: the ones last used, newest first. */
export const SessionList = z.object({ sessions: z.array(SessionInfo) });
export type SessionList = z.infer<typeof SessionList>;

/** `GET /sessions/:id` on a worker's socket: a session with its latest turns, oldest first. */
export const SessionDetail = z.object({
  session: SessionInfo,
  /** What people have allowed in it for good, as it is written in Claude Code's settings. */
  allowed: z.array(z.string()),
  turns: z.array(SessionTurn),
});
export type SessionDetail = z.infer<typeof SessionDetail>;
