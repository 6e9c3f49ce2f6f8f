import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentSettings } from "@synthesis/config";
import type { Inbox } from "../../files/inbox.ts";
import { allowedSettings } from "../claude/allowed-settings.ts";
import type { ClaudeSession } from "../headless/claude-arguments.ts";
import { readRule } from "./read-rule.ts";
import { PLUGIN } from "./screen-trouble.ts";

export type ChannelSettings = Extract<AgentSettings, { driver: "channel" }>;

/** The folder of the plugin, as Claude Code loads it. */
const pluginDir = dirname(fileURLToPath(import.meta.resolve("@synthesis/claude-plugin/package.json")));

/**
 * The arguments of an interactive Claude with the plugin, which may read what clients send to it; `session`: of which
 * conversation, where that is ours to say.
 */
export function channelArguments(
  settings: ChannelSettings,
  inbox: Pick<Inbox, "folder">,
  session?: Pick<ClaudeSession, "id" | "resume" | "allowed">,
): string[] {
  const { model, permissionMode, channels, asks } = settings;
  return [
    `--plugin-dir=${pluginDir}`,
    channels === "approved" ? `--channels=${PLUGIN}` : `--dangerously-load-development-channels=${PLUGIN}`,
    `--permission-mode=${permissionMode}`,
    ...(model === undefined ? [] : [`--model=${model}`]),
    `--allowedTools=${readRule(inbox.folder)}`,
    ...asks.allow.map((rule) => `--allowedTools=${rule}`),
    ...asks.deny.map((rule) => `--disallowedTools=${rule}`),
    ...allowedSettings(session?.allowed),
    ...(session === undefined ? [] : [session.resume ? "--resume" : "--session-id", session.id]),
  ];
}

/** What the plugin finds its worker by. */
export function pluginEnvironment(bridgeUrl: string, sessionKey: string): Readonly<Record<string, string>> {
  return {
    SYNTHESIS_BRIDGE_URL: bridgeUrl,
    SYNTHESIS_SESSION_KEY: sessionKey,
    SYNTHESIS_NODE: process.execPath,
  };
}
