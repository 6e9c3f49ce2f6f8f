import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LEDGER_VARIABLE } from "../ledger/ledger.ts";

/** Limits low enough that what hangs is found out within a run. In ms. */
export const limits = {
  hangMs: 3_000,
  firstByteMs: 4_000,
  stallMs: 4_000,
  turnMs: 30_000,
  queueMs: 60_000,
  drainMs: 5_000,
  closeMs: 500,
  interruptMs: 400,
  heartbeatMs: 1_000,
  reconnectMs: 2_000,
  vanishedMs: 1_500,
  restartPauseMs: 1_000,
} as const;

/** How a workspace's agent is driven. */
type AgentKind = "command" | "headless" | "headless-resume" | "claude";

/** One workspace of the run, with its one agent. */
export interface Workspace {
  /** `w1`, `w2`, …; its folder has the same name. */
  readonly name: string;
  readonly agent: string;
  readonly kind: AgentKind;
}

/** This many workspaces; the last `real` of them have the real Claude Code. */
export function workspacesOf(count: number, real: number): readonly Workspace[] {
  const scripted = ["command", "headless", "command", "headless-resume"] as const;
  return Array.from({ length: count }, (_, index) => ({
    name: `w${index + 1}`,
    agent: `agent-w${index + 1}`,
    kind: index >= count - real ? "claude" : (scripted[index % scripted.length] ?? "command"),
  }));
}

const ledgerAgent = fileURLToPath(new URL("../agents/ledger-agent.ts", import.meta.url));

/** What the configuration is made of. */
export interface ConfigurationFacts {
  /** The run's folder, with the workspaces' folders in it. */
  readonly folder: string;
  readonly workspaces: readonly Workspace[];
  readonly ledgerFile: string;
  readonly claude: { readonly bin: string; readonly env: Readonly<Record<string, string>> };
  /** In the place of some of {@link limits}. */
  readonly limits?: Readonly<Record<string, number>>;
}

/** `synthesis.config.yaml` of a run; JSON is YAML. */
export function configurationText(facts: ConfigurationFacts): string {
  const { folder, workspaces, ledgerFile, claude } = facts;
  const agentOf = ({ name, kind }: Workspace) =>
    kind === "command"
      ? {
          workspace: name,
          driver: "command",
          command: ["{node}", ledgerAgent],
          env: { [LEDGER_VARIABLE]: ledgerFile },
        }
      : { workspace: name, ...(kind === "headless-resume" ? { onInterrupt: "resume" } : {}) };
  return JSON.stringify({
    workspaces: Object.fromEntries(workspaces.map(({ name }) => [name, { path: join(folder, name) }])),
    agents: Object.fromEntries(workspaces.map((workspace) => [workspace.agent, agentOf(workspace)])),
    claude: { bin: claude.bin, env: { ...claude.env, [LEDGER_VARIABLE]: ledgerFile } },
    limits: { ...limits, ...facts.limits },
  });
}
