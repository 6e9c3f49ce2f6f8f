import { AgentSettings, Limits } from "@synthesis/config";
import { logLevels } from "@synthesis/kit";
import * as z from "zod";

/** What the supervisor hands a worker in its first message. */
export const WorkerConfiguration = z.object({
  workspace: z.string(),
  /** The workspace's folder, absolute and resolved. */
  path: z.string(),
  epoch: z.number().int().positive(),
  /** The Unix socket to listen on. */
  socketPath: z.string(),
  journalFile: z.string(),
  /** The folder of the files that its agents attach. */
  filesDir: z.string(),
  /** The folder of the files that clients send to them. */
  receivedDir: z.string(),
  /** What the environment mark of each agent process starts with. */
  markPrefix: z.string(),
  agents: z.record(z.string(), AgentSettings),
  claude: z.object({ bin: z.string(), env: z.record(z.string(), z.string()) }),
  limits: Limits,
  logLevel: z.enum(logLevels),
});
export type WorkerConfiguration = z.infer<typeof WorkerConfiguration>;
