import { KeySettings, Limits, Settings } from "@synthesis/config";
import { logLevels } from "@synthesis/kit";
import * as z from "zod";

/** What the supervisor hands the gateway in its first message. */
export const GatewayConfiguration = z.object({
  server: Settings.shape.server,
  keys: z.array(KeySettings).min(1),
  agents: z.record(z.string(), z.object({ workspace: z.string() })),
  defaultAgent: z.string().optional(),
  /** The supervisor's Unix socket. */
  controlSocket: z.string(),
  limits: Limits,
  logLevel: z.enum(logLevels),
});
export type GatewayConfiguration = z.infer<typeof GatewayConfiguration>;
