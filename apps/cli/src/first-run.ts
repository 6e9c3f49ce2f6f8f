import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  apiKeyFile,
  ConfigError,
  configJsonSchema,
  hasClaude,
  makeApiKey,
  type Locations,
} from "@synthesis/config";

export interface FirstRunChoice {
  /** The user named a configuration file: none is made. */
  readonly hasOwnConfig: boolean;
  /** The user brings the API key in the environment: none is made. */
  readonly hasOwnKey: boolean;
}

/**
 * Makes what is missing in the state folder; tells each thing it made to `say`. Leaves what is there as it is.
 * Throws `ConfigError` where it may not.
 */
export function prepareStateDir(
  locations: Locations,
  choice: FirstRunChoice,
  say: (what: string) => void,
): void {
  try {
    makeMissing(locations, choice, say);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `the state folder ${locations.stateDir} cannot be used (${why}): mend it, or choose another with --state-dir`,
      { cause },
    );
  }
}

function makeMissing(
  { stateDir, configFile }: Locations,
  choice: FirstRunChoice,
  say: (what: string) => void,
): void {
  if (!existsSync(stateDir)) say(`state folder    ${stateDir}`);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (!choice.hasOwnKey && !existsSync(apiKeyFile(stateDir))) {
    makeApiKey(stateDir);
    say(`API key         ${apiKeyFile(stateDir)}`);
  }
  if (choice.hasOwnConfig) return;
  writeFileSync(join(stateDir, SCHEMA_FILE), `${JSON.stringify(configJsonSchema(), null, 2)}\n`, {
    mode: 0o600,
  });
  if (existsSync(configFile)) return;
  const demo = join(stateDir, "demo");
  mkdirSync(demo, { recursive: true, mode: 0o700 });
  const withClaude = hasClaude();
  writeFileSync(configFile, firstConfig(withClaude), { mode: 0o600, flag: "wx" });
  say(`configuration   ${configFile} (agents: echo${withClaude ? ", claude" : "; no claude CLI was found"})`);
  say(`demo workspace  ${demo}`);
}

const SCHEMA_FILE = "synthesis.config.schema.json";

function firstConfig(withClaude: boolean): string {
  return `# yaml-language-server: $schema=./${SCHEMA_FILE}
# Made by the first \`synthesis up\`; yours to change. Restart Synthesis after a change.

# server:
#   host: 127.0.0.1
#   port: 8787

# The folders in which agents work. A path may be absolute, start with ~, or be relative to this file.
workspaces:
  demo: { path: ./demo }
  # site: { path: ~/code/site }

# Folders whose subfolders a request may open with the header x-openclaw-workspace, by name or by path.
roots: []
# roots: [~/code]

# The agents: what clients see as models.
agents:
  # A tiny program that says back what you say. It needs no account.
  echo:
    workspace: demo
    driver: command
    command: ["{node}", "{synthesis}/packages/echo-agent/src/main.ts"]
${withClaude ? "" : "# No claude CLI was found. Install it, then remove the # from the next lines.\n"}${commentedUnless(withClaude, CLAUDE_AGENT)}
# The agent of requests that name no model.
defaultAgent: echo

# claude:
#   bin: claude                # a name on PATH, or a path
#   env: {}                    # for example { ANTHROPIC_BASE_URL: "https://…" }

# Every bound has a default; \`synthesis schema\` lists them with their meaning.
# limits:
#   idleMs: 1800000
#   processesPerWorkspace: 16
`;
}

const CLAUDE_AGENT = `  # Claude Code, with the account that its CLI uses (ANTHROPIC_API_KEY, Bedrock, Vertex, …).
  claude:
    workspace: demo
    driver: headless
    # model: sonnet
    permissionMode: default    # asks you before it edits or runs anything; acceptEdits: edits without asking
    # asks:                    # what becomes of that: see docs/configuration.md
    #   mode: hold             # the answer stays open for your verdict; chat: it ends with the question
    #   deadlineMs: 600000     # then it is denied
    #   allow: [Read, "Bash(git status:*)"]   # is never asked
`;

function commentedUnless(active: boolean, text: string): string {
  return active ? text : text.replaceAll(/^(?=.)/gm, "#");
}
