import * as z from "zod";
import { WireError } from "./wire-error.ts";

/** What a worker tells the supervisor about itself, at each change and with each heartbeat. */
export const WorkerStatus = z.object({
  /** Live agent processes. */
  processes: z.number().int().nonnegative(),
  /** Open plugin connections. */
  conns: z.number().int().nonnegative(),
  /** Turns handed to it and not over. */
  turns: z.number().int().nonnegative(),
  /** Sessions in the journal. */
  sessions: z.number().int().nonnegative(),
  /** Replies that answered no running turn, since the worker started. */
  unsolicited: z.number().int().nonnegative(),
  /** Private memory of the agent processes, in bytes. */
  memoryBytes: z.number().int().nonnegative(),
  /** When its longest idle agent process last worked (epoch ms); absent: none is idle. */
  oldestIdleAt: z.number().int().optional(),
});
export type WorkerStatus = z.infer<typeof WorkerStatus>;

/** Where the gateway listens. */
export const Endpoint = z.object({
  /** Such as `http://127.0.0.1:8787`. */
  url: z.string(),
  port: z.number().int(),
});
export type Endpoint = z.infer<typeof Endpoint>;

/** Child (worker or gateway) → supervisor, over the fork's IPC channel. */
export const ChildMessage = z.discriminatedUnion("type", [
  /** It serves now. The gateway names where, the worker nothing. */
  z.object({ type: z.literal("ready"), endpoint: Endpoint.optional() }),
  /** It can never serve as configured; `message` is for the person who started Synthesis. */
  z.object({ type: z.literal("unusable"), message: z.string() }),
  z.object({ type: z.literal("status"), status: WorkerStatus }),
  z.object({ type: z.literal("pong") }),
]);
export type ChildMessage = z.infer<typeof ChildMessage>;

/** Supervisor → child. `configure` is the first, and its `configuration` is the child's own schema. */
export const SupervisorMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("configure"), configuration: z.unknown() }),
  z.object({ type: z.literal("ping") }),
  /** End the agent process that has been idle longest. */
  z.object({ type: z.literal("evict") }),
  z.object({ type: z.literal("close"), reason: z.string() }),
]);
export type SupervisorMessage = z.infer<typeof SupervisorMessage>;

/** `POST /v1/workspaces/ensure` on the control socket: see that this workspace's worker serves. */
export const EnsureRequest = z.object({ workspace: z.string().min(1).max(4096) });
export type EnsureRequest = z.infer<typeof EnsureRequest>;

/** Where the workspace is served; a later epoch makes an earlier answer void. */
export const EnsureAnswer = z.object({
  workspace: z.string(),
  epoch: z.number().int().positive(),
  socketPath: z.string(),
});
export type EnsureAnswer = z.infer<typeof EnsureAnswer>;

/** `GET /v1/status` on the control socket. */
export const StatusAnswer = z.object({
  workers: z.array(
    z.object({
      workspace: z.string(),
      path: z.string(),
      state: z.string(),
      pid: z.number().int().optional(),
      restarts: z.number().int().nonnegative(),
      status: WorkerStatus.optional(),
    }),
  ),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;

/** Any non-2xx answer of the control socket. */
export const ControlError = z.object({ error: WireError });
export type ControlError = z.infer<typeof ControlError>;
