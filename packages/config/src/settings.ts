import { logLevels } from "@synthesis/kit";
import * as z from "zod";
import { CommandAsks, HeadlessAsks } from "./asks.ts";
import { AgentFiles } from "./files.ts";
import { Limits } from "./limits.ts";

/** An agent with its defaults filled in. */
export const AgentSettings = z.discriminatedUnion("driver", [
  z.object({
    driver: z.literal("headless"),
    workspace: z.string(),
    model: z.string().optional(),
    permissionMode: z.string(),
    onInterrupt: z.enum(["report", "resume"]),
    instructions: z.enum(["append", "replace", "ignore"]),
    reasoning: z.enum(["full", "tools", "none"]),
    files: AgentFiles,
    asks: HeadlessAsks.prefault({}),
  }),
  z.object({
    driver: z.literal("channel"),
    workspace: z.string(),
    terminal: z.enum(["own", "yours"]),
    channels: z.enum(["approved", "development"]),
    model: z.string().optional(),
    permissionMode: z.string(),
    files: AgentFiles,
    asks: HeadlessAsks.prefault({}),
  }),
  z.object({
    driver: z.literal("command"),
    workspace: z.string(),
    command: z.array(z.string()).min(1),
    env: z.record(z.string(), z.string()),
    files: AgentFiles,
    asks: CommandAsks.prefault({}),
  }),
]);
export type AgentSettings = z.infer<typeof AgentSettings>;

/** An API key as the processes know it: never the key itself. */
export const KeySettings = z.object({
  name: z.string(),
  /** SHA-256 of the key, hex. */
  sha256: z.string().length(64),
  client: z.enum(["generic", "openclaw"]),
});
export type KeySettings = z.infer<typeof KeySettings>;

/**
 * What one run of Synthesis works with: flags over environment over file over defaults, all paths absolute.
 * Travels over IPC, so plain data; each process is handed the part it needs.
 */
export const Settings = z.object({
  server: z.object({
    host: z.string(),
    port: z.number().int(),
    allowedHosts: z.array(z.string()),
    /** Where clients find this server, without a slash at its end; absent: where each one found it. */
    publicUrl: z.string().optional(),
  }),
  keys: z.array(KeySettings).min(1),
  /** Workspace name → absolute path. */
  workspaces: z.record(z.string(), z.string()),
  roots: z.array(z.string()),
  defaultAgent: z.string().optional(),
  agents: z.record(z.string(), AgentSettings),
  claude: z.object({
    /** Absolute path where it was found, else the name or path as configured. */
    bin: z.string(),
    env: z.record(z.string(), z.string()),
  }),
  limits: Limits,
  logLevel: z.enum(logLevels),
  stateDir: z.string(),
  runtimeDir: z.string(),
});
export type Settings = z.infer<typeof Settings>;
