import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkoutDir, ConfigError, configJsonSchema } from "@synthesis/config";
import { logLevels } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import { Command, InvalidArgumentError, Option } from "commander";
import { listAsks, settleAsk, showAsk } from "./commands/asks.ts";
import { attach } from "./commands/attach.ts";
import { check } from "./commands/check.ts";
import { claude } from "./commands/claude.ts";
import { restart } from "./commands/restart.ts";
import { endSession, listSessions, printExport, showSession } from "./commands/sessions.ts";
import { status } from "./commands/status.ts";
import { stop } from "./commands/stop.ts";
import { up } from "./commands/up.ts";

/** The options that every command takes; a flag beats its variable, the variable beats the file. */
const shared = [
  new Option(
    "--config <file>",
    "configuration file; default: the one in the state folder, which `up` makes",
  ).env("SYNTHESIS_CONFIG"),
  new Option("--state-dir <folder>", "journals, API key, generated configuration").env("SYNTHESIS_STATE_DIR"),
  new Option("--runtime-dir <folder>", "Unix sockets").env("SYNTHESIS_RUNTIME_DIR"),
];

/** What stands above the file's `server`. */
const server = [
  new Option("--host <address>", "address to listen on").env("SYNTHESIS_HOST"),
  new Option("--port <number>", "port to listen on; 0 takes a free one")
    .env("SYNTHESIS_PORT")
    .argParser(portFrom),
];

const drain = new Option(
  "--drain <seconds>",
  "how long running turns may go on before they are cut; default: limits.drainMs of the configuration",
).argParser(millisecondsFrom);

const workspace = new Option(
  "--workspace <name>",
  "name or path of the workspace; its worker is started where none runs",
);

const message = new Option(
  "--message <text>",
  "for the agent: why not, what instead, or the answer to what it asks",
);

const answer = new Option(
  "--answer <question=label>",
  "the answer to one of its questions; may be said for each",
).argParser(gathered);

/** Parses the command line and runs the command. An error the user can mend is one message and exit code 1. */
export async function runCli(argv: readonly string[]): Promise<void> {
  dropEmptyVariables(process.env);
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof WireFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** An empty variable counts as absent: container set-ups hand on what is not set as empty. */
function dropEmptyVariables(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("SYNTHESIS_") && value === "") delete env[name];
  }
}

function program(): Command {
  const root = new Command("synthesis")
    .description(
      "Claude Code as a service: an OpenAI-compatible endpoint whose models are agents in your project folders.",
    )
    .version(version(), "--version", "print the version")
    .helpOption("--help", "print this help")
    .showHelpAfterError("(synthesis --help says more)")
    .addHelpText("after", "\nSYNTHESIS_API_KEY, where set, takes the place of the generated key.");
  withOptions(root.command("up"), [...shared, ...server])
    .description("start Synthesis and keep it running until Ctrl-C, which lets running turns finish")
    .addOption(
      new Option("--log-level <level>", "what goes to stderr").env("SYNTHESIS_LOG_LEVEL").choices(logLevels),
    )
    .action(up);
  withOptions(root.command("status"), shared)
    .description("show gateway and workers of the running Synthesis")
    .action(status);
  withOptions(root.command("restart"), [...shared, drain])
    .description("restart the worker of one workspace, or the gateway and every worker; no client notices")
    .argument("[workspace]", "name or path of the workspace")
    .addHelpText("after", RESTART_HELP)
    .action(restart);
  withOptions(root.command("stop"), [...shared, drain])
    .description("let running turns finish, then end the running Synthesis, as Ctrl-C in its terminal does")
    .action(stop);
  addSessions(root.command("sessions"));
  addAsks(root.command("asks"));
  addTerminals(root);
  withOptions(root.command("check"), [...shared, ...server])
    .description("check the configuration and say what it means")
    .action(check);
  root
    .command("schema")
    .description("print the JSON Schema of the configuration file")
    .action(() => console.log(JSON.stringify(configJsonSchema(), null, 2)));
  return root;
}

function addSessions(sessions: Command): void {
  sessions
    .description("list, show, end and export the sessions of the running Synthesis, of every API key")
    .addHelpText("after", SESSIONS_HELP);
  withOptions(sessions.command("list", { isDefault: true }), [...shared, workspace])
    .description("the sessions, the last used first")
    .action(listSessions);
  withOptions(sessions.command("show"), [...shared, workspace])
    .description("one session with its latest turns")
    .argument("<id>", "of the session")
    .action(showSession);
  withOptions(sessions.command("end"), [...shared, workspace])
    .description("cancel what runs of a session, end its process, forget it; Claude's own transcript stays")
    .argument("<id>", "of the session")
    .action(endSession);
  withOptions(sessions.command("export"), [...shared, workspace])
    .description("print one session as JSON lines: its turns with their answers, and Claude's transcript")
    .argument("<id>", "of the session")
    .action(printExport);
}

function addAsks(asks: Command): void {
  asks
    .description("list, show and settle what agents of the running Synthesis ask a person, for every API key")
    .addHelpText("after", ASKS_HELP);
  withOptions(asks.command("list", { isDefault: true }), [...shared, workspace])
    .description("the open asks, the oldest first")
    .action(listAsks);
  withOptions(asks.command("show"), [...shared, workspace])
    .description(
      "one open ask: all that the tool would be called with, what it would always allow, its questions",
    )
    .argument("<id>", "of the ask")
    .action(showAsk);
  const verdicts = {
    allow: "say yes to an ask",
    always:
      "say yes, and allow from now on in its session what the ask names for that; where nothing is offered, say yes",
    deny: "say no to an ask",
  } as const;
  for (const behavior of ["allow", "always", "deny"] as const)
    withOptions(asks.command(behavior), [
      ...shared,
      workspace,
      message,
      ...(behavior === "deny" ? [] : [answer]),
    ])
      .description(verdicts[behavior])
      .argument("<id>", "of the ask")
      .action(settleAsk(behavior));
}

function addTerminals(root: Command): void {
  withOptions(root.command("attach"), [...shared, workspace])
    .description("show the terminal of a session whose agent has driver: channel, till Ctrl-]")
    .argument("<session>", "its id")
    .option("--take-over", "press its keys too")
    .action(attach);
  withOptions(root.command("claude"), shared)
    .description("start Claude in this terminal as an agent that clients can talk to, till it ends")
    .argument("[args...]", "Claude's own arguments, after --")
    .option(
      "--agent <name>",
      "which agent it is; default: the only one with driver: channel, terminal: yours",
    )
    .addHelpText("after", CLAUDE_HELP)
    .action(claude);
}

function withOptions(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option);
  return command;
}

const SESSIONS_HELP = `
Without --workspace those of every workspace that has a worker now. A session is named in the header
x-synthesis-session of each answer.`;

const ASKS_HELP = `
Without --workspace those of every workspace that has a worker now. The first verdict counts, by whichever way it comes
(chat, API, here); one that comes later is told so, with exit code 1. Nothing here waits.`;

const CLAUDE_HELP = `
Messages reach it through a channel of Claude Code, a research preview: its account must have channels, and without them
none arrives. An agent with driver: headless needs none.`;

const RESTART_HELP = `
Running turns finish first, waiting ones run on the new worker, sessions keep their memory. What is restarted runs the
code that is on disk now. The supervisor and \`synthesis up\` keep their code, and all of Synthesis keeps its
configuration, till the next stop and start.`;

function millisecondsFrom(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds >= 0 && seconds <= MAX_DRAIN_SECONDS)) {
    throw new InvalidArgumentError(`It is a number of seconds from 0 to ${MAX_DRAIN_SECONDS}.`);
  }
  return Math.round(seconds * 1000);
}

/** A week. */
const MAX_DRAIN_SECONDS = 604_800;

function gathered(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function portFrom(text: string): number {
  const port = Number(text);
  if (text.trim() === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
  }
  return port;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(checkoutDir, "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}
