import { AgentSettings, HeadlessAsks, KeySettings, Limits, Settings } from "@synthesis/config";
import { logLevels } from "@synthesis/kit";
import * as z from "zod";

const { mode, by } = HeadlessAsks.shape;
const DRIVERS = AgentSettings.options.map(({ shape }) => shape.driver.value);

/** What the supervisor hands the gateway in its first message. */
export const GatewayConfiguration = z.object({
  server: Settings.shape.server,
  keys: z.array(KeySettings).min(1),
  agents: z.record(
    z.string(),
    z.object({
      workspace: z.string(),
      driver: z.enum(DRIVERS),
      model: z.string().optional(),
      /** What becomes of a client's system prompt. */
      instructions: z.enum(["append", "replace", "ignore"]).optional(),
      asks: z.object({ mode, by }),
    }),
  ),
  defaultAgent: z.string().optional(),
  /** The supervisor's Unix socket. */
  controlSocket: z.string(),
  /** Of this gateway; a later one has a higher number, also under another supervisor. */
  generation: z.number().int().positive(),
  /** The lowest generation that may still live, at most its own: those below it are dead. */
  fence: z.number().int().positive(),
  limits: Limits,
  logLevel: z.enum(logLevels),
});
export type GatewayConfiguration = z.infer<typeof GatewayConfiguration>;
