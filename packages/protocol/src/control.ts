import * as z from "zod";
import { FileId } from "./identifier.ts";
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
  /** Since when the agent process that `evict` would end has been idle (epoch ms); absent: none is idle. */
  oldestIdleAt: z.number().int().optional(),
  /** Since when it has waited for a person, where that is why it may go (epoch ms); absent: one is idle, or none may go yet. */
  oldestAskingAt: z.number().int().optional(),
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
  /** The supervisor only: it is being closed, and so many running turns are finishing first. */
  z.object({ type: z.literal("draining"), turns: z.number().int().nonnegative() }),
  /** The supervisor only: somebody asked it to stop everything; whoever started it is to close it, so. */
  z.object({ type: z.literal("stop_requested"), drainMs: z.number().int().nonnegative() }),
]);
export type ChildMessage = z.infer<typeof ChildMessage>;

/** Supervisor → child. `configure` is the first, and its `configuration` is the child's own schema. */
export const SupervisorMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("configure"), configuration: z.unknown() }),
  z.object({ type: z.literal("ping") }),
  /** End the agent process that has been idle longest; where none is idle, the one that has waited too long for a person. */
  z.object({ type: z.literal("evict") }),
  /**
   * End. Running turns may go on for `drainMs` first; nothing new is taken meanwhile. Of several of these
   * messages the earliest end counts: a second one with `drainMs` 0 cuts what the first let go on.
   */
  z.object({ type: z.literal("close"), reason: z.string(), drainMs: z.number().int().nonnegative() }),
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

/** `POST /v1/files/locate` on the control socket: which workspace has this file. Starts nothing. */
export const LocateFileRequest = z.object({ file: FileId });
export type LocateFileRequest = z.infer<typeof LocateFileRequest>;

/** By what that workspace can be asked for. Where none has the file the answer is `file_not_found`. */
export const LocateFileAnswer = z.object({ workspace: z.string() });
export type LocateFileAnswer = z.infer<typeof LocateFileAnswer>;

/** How a supervised process is. */
const ProcessReport = z.object({
  /** `starting`, `serving`, `unresponsive`, `draining`, `pausing`, `failing` or `closed`; told apart in `kit`. */
  state: z.string(),
  pid: z.number().int().optional(),
  /** How often it died and was started again. */
  restarts: z.number().int().nonnegative(),
  /** In how many ms it is started again, while it is dead. */
  nextAttemptMs: z.number().int().nonnegative().optional(),
});

/** `GET /v1/status` on the control socket. */
export const StatusAnswer = z.object({
  /** Absent: it has not been started yet. */
  gateway: ProcessReport.extend({
    /** Absent: it has not served yet. */
    endpoint: Endpoint.optional(),
    /** The process that it took over from, while that still finishes what it has. */
    drainingPid: z.number().int().optional(),
  }).optional(),
  workers: z.array(
    ProcessReport.extend({
      workspace: z.string(),
      path: z.string(),
      status: WorkerStatus.optional(),
    }),
  ),
});
export type StatusAnswer = z.infer<typeof StatusAnswer>;

/** How long running turns may go on before they are cut, in ms; absent: `limits.drainMs`. */
const DrainMs = z.number().int().min(0).max(604_800_000).optional();

/** `POST /v1/workspaces/restart` on the control socket: drain and replace this workspace's worker. */
export const RestartRequest = EnsureRequest.extend({ drainMs: DrainMs });
export type RestartRequest = z.infer<typeof RestartRequest>;

/** The new worker serves. Without an `epoch` none was running, and none was started. */
export const RestartAnswer = z.object({
  workspace: z.string(),
  epoch: z.number().int().positive().optional(),
});
export type RestartAnswer = z.infer<typeof RestartAnswer>;

/** `POST /v1/gateway/restart` on the control socket: start a new gateway, then drain and end the old one. */
export const GatewayRestartRequest = z.object({ drainMs: DrainMs });
export type GatewayRestartRequest = z.infer<typeof GatewayRestartRequest>;

/** The new gateway serves, as process `pid`, and the old one is gone. */
export const GatewayRestartAnswer = z.object({ pid: z.number().int().positive().optional() });
export type GatewayRestartAnswer = z.infer<typeof GatewayRestartAnswer>;

/** `POST /v1/stop` on the control socket: drain and end everything, as SIGTERM to `synthesis up` does. */
export const StopRequest = z.object({ drainMs: DrainMs });
export type StopRequest = z.infer<typeof StopRequest>;

/** It has begun: `turns` run, and may go on for `drainMs`. The control socket is gone when it is done. */
export const StopAnswer = z.object({
  turns: z.number().int().nonnegative(),
  drainMs: z.number().int().nonnegative(),
});
export type StopAnswer = z.infer<typeof StopAnswer>;

/** Any non-2xx answer of the control socket. */
export const ControlError = z.object({ error: WireError });
export type ControlError = z.infer<typeof ControlError>;
