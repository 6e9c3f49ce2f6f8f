import { spawn } from "node:child_process";
import { once } from "node:events";
import { ConfigError, loadSettings, locate, type Settings } from "@synthesis/config";
import { withDeadline } from "@synthesis/kit";
import { LiveWelcome, type LiveStarted } from "@synthesis/protocol";
import type { WebSocket } from "ws";
import { ControlClient } from "../control-client.ts";
import { openTerminalLink } from "../terminal-link.ts";
import type { ClaudeOptions } from "./command-options.ts";

/** How long a worker may take to say with what Claude is to be started, in ms. */
const WELCOME_MS = 10_000;

const NO_CHANNELS =
  "Where Claude says at its start that channels are ignored or not available, its account has none and no message\nreaches it: say /login there if it is not logged in, and else use an agent with driver: headless.";

const NO_TERMINAL =
  "synthesis claude is for a person at a terminal, and there is none here: its input and output must be one. An agent with driver: headless needs none.\n";

/**
 * `synthesis claude`: starts Claude in this terminal as an agent of the running Synthesis, till it ends. `args` are
 * Claude's own. The exit code is Claude's, or 2 where there is no terminal.
 */
export async function claude(args: readonly string[], { agent, ...options }: ClaudeOptions): Promise<void> {
  const locations = locate(options);
  const settings = loadSettings(locations, { apiKey: process.env["SYNTHESIS_API_KEY"] });
  const { name, workspace } = chooseAgent(settings, agent, locations.configFile);
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    process.stderr.write(NO_TERMINAL);
    process.exitCode = 2;
    return;
  }
  const control = new ControlClient(locations);
  const { socketPath } = await control.ensure(workspace);
  const { gateway } = await control.status();
  const link = await openTerminalLink(socketPath, `/live?agent=${encodeURIComponent(name)}`);
  let letGo: string | undefined;
  link.on("close", (_code, reason) => (letGo = reason.toString() || "its worker is gone"));
  try {
    const welcome = await welcomeOf(link);
    const endpoint = gateway?.endpoint === undefined ? "" : ` at ${gateway.endpoint.url}/v1`;
    console.log(`This Claude is the model "${name}"${endpoint} till it ends. ${NO_CHANNELS}`);
    process.exitCode = await runClaude(welcome, args, link);
    if (letGo !== undefined)
      process.stderr.write(
        `Synthesis had let go of this Claude: ${letGo}. Start it with this command again. ${NO_CHANNELS}\n`,
      );
  } finally {
    link.close();
  }
}

/** Throws {@link ConfigError} where none can be started here, or several can. */
function chooseAgent(
  { agents }: Settings,
  asked: string | undefined,
  configFile: string,
): { readonly name: string; readonly workspace: string } {
  const able = Object.entries(agents).flatMap(([name, agent]) =>
    agent.driver === "channel" && agent.terminal === "yours" ? [{ name, workspace: agent.workspace }] : [],
  );
  const chosen = asked === undefined ? able : able.filter(({ name }) => name === asked);
  const [only, ...more] = chosen;
  if (only !== undefined && more.length === 0) return only;
  if (only !== undefined)
    throw new ConfigError(`several agents can be started here: name one with --agent (${namesOf(able)})`);
  const [example = "WORKSPACE"] = Object.values(agents).map(({ workspace }) => workspace);
  const remedy = `add it to ${configFile} and start Synthesis again:\n\nagents:\n  ${asked ?? "live"}: { workspace: ${example}, driver: channel, terminal: yours }`;
  if (asked === undefined) throw new ConfigError(`no agent is one that you start in a terminal: ${remedy}`);
  const others = able.length === 0 ? "" : ` (${namesOf(able)} can)`;
  throw new ConfigError(`the agent "${asked}" is none that you start in a terminal${others}: ${remedy}`);
}

function namesOf(agents: readonly { readonly name: string }[]): string {
  return agents.map(({ name }) => name).join(", ");
}

async function welcomeOf(link: WebSocket): Promise<LiveWelcome> {
  const first = once(link, "message");
  link.resume();
  const [data] = (await withDeadline(first, WELCOME_MS, "the worker did not say how to start Claude")) as [
    Buffer,
  ];
  return LiveWelcome.parse(JSON.parse(data.toString("utf8")));
}

/** Resolves with its exit code. What the terminal signals is for Claude to heed. */
async function runClaude(
  { bin, args, cwd, env }: LiveWelcome,
  more: readonly string[],
  link: WebSocket,
): Promise<number> {
  const child = spawn(bin, [...args, ...more], { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGQUIT"] as const) process.on(signal, () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("spawn", () => {
    if (child.pid !== undefined)
      link.send(JSON.stringify({ type: "started", pid: child.pid } satisfies LiveStarted));
  });
  child.once("error", (cause) =>
    reject(new ConfigError(`${bin} could not be started (${cause.message}): check claude.bin`, { cause })),
  );
  child.once("exit", (code) => resolve(code ?? 1));
  return promise;
}
