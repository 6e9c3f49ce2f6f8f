import { logLevels } from "@synthesis/kit";
import * as z from "zod";
import { ChannelAsks, CommandAsks, HeadlessAsks } from "./asks.ts";
import { AgentFiles } from "./files.ts";
import { Limits } from "./limits.ts";

/** Agent and workspace names: they stand in URLs, headers, file names and process titles. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const Name = z
  .string()
  .regex(NAME, "use 1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit");
const Path = z.string().min(1);
const PublicUrl = z
  .url("use an address such as https://box.example")
  .max(1024)
  .regex(/^https?:\/\/[^\s?#@()<>]+$/, "use http or https, without user, query and fragment")
  .transform((url) => url.replace(/\/+$/, ""));
const Environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "not a variable name"), z.string());

const HeadlessAgent = z.strictObject({
  workspace: Name.describe("The workspace it works in unless a request names another."),
  driver: z.literal("headless").optional().describe("Claude Code, driven over stream-json (the default)."),
  model: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe("A Claude model or alias; default: Claude Code's own."),
  permissionMode: z
    .enum(["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"])
    .default("default")
    .describe(
      "Claude Code's permission mode. What it does not allow by itself is asked; bypassPermissions lets it do anything.",
    ),
  onInterrupt: z
    .enum(["report", "resume"])
    .default("report")
    .describe(
      "What becomes of a turn whose Claude process dies: report ends it as interrupted, resume lets the next process finish it, once.",
    ),
  instructions: z
    .enum(["append", "replace", "ignore"])
    .default("append")
    .describe(
      "What becomes of a client's system prompt: append adds it to Claude Code's own, replace puts it in its place, ignore leaves it out.",
    ),
  reasoning: z
    .enum(["full", "tools", "none"])
    .default("full")
    .describe(
      "What clients see of the agent's work beside its answer: full is its thinking and the tools it uses, tools only those, none nothing.",
    ),
  files: AgentFiles,
  asks: HeadlessAsks.prefault({}).describe(
    "What becomes of what the agent may do only when a person says so.",
  ),
});

const ChannelAgent = z.strictObject({
  workspace: HeadlessAgent.shape.workspace,
  driver: z
    .literal("channel")
    .describe(
      "An interactive Claude Code with the plugin; its account must have channels, a research preview.",
    ),
  terminal: z
    .enum(["own", "yours"])
    .default("own")
    .describe(
      "Where it runs: own is a terminal that Synthesis keeps for each session (`synthesis attach` shows it), yours is the one where you start it with `synthesis claude`.",
    ),
  channels: z
    .enum(["approved", "development"])
    .default("approved")
    .describe(
      "How Claude Code is told of the channel: approved needs the plugin on your organization's list, development asks a person at each start.",
    ),
  model: HeadlessAgent.shape.model,
  permissionMode: HeadlessAgent.shape.permissionMode,
  files: AgentFiles,
  asks: ChannelAsks.prefault({}).describe(
    "What becomes of what the agent may do only when a person says so.",
  ),
});

const CommandAgent = z.strictObject({
  workspace: Name.describe("The workspace it works in unless a request names another."),
  driver: z.literal("command").describe("Any program that speaks the plugin frames of PROTOCOL.md."),
  command: z
    .array(z.string())
    .min(1)
    .describe("Program and arguments, no shell. {node} is Synthesis's own Node, {synthesis} its folder."),
  env: Environment.default({}).describe("Environment variables for the program."),
  files: AgentFiles,
  asks: CommandAsks.prefault({}).describe(
    "What becomes of what the agent may do only when a person says so.",
  ),
});

/** What the API key that Synthesis makes is called. */
export const GENERATED_KEY = "default";

/** `synthesis.config.yaml` as people write it. */
export const ConfigFile = z
  .strictObject({
    server: z
      .strictObject({
        host: z.string().min(1).default("127.0.0.1").describe("Address to listen on."),
        port: z
          .number()
          .int()
          .min(0)
          .max(65_535)
          .default(8787)
          .describe("Port to listen on; 0 takes a free one."),
        allowedHosts: z
          .array(z.string().min(1))
          .default([])
          .describe(
            "Further Host headers to accept, exactly as clients send them. Needed on a network address.",
          ),
        publicUrl: PublicUrl.optional().describe(
          "Address of this server in links to files, such as https://box.example/synthesis; its host is an allowed one. Default: the address that the client used.",
        ),
      })
      .prefault({}),
    keys: z
      .record(
        Name,
        z.strictObject({
          file: Path.describe("File that holds this API key."),
          client: z
            .enum(["generic", "openclaw"])
            .default("generic")
            .describe("Whose conventions its requests follow."),
        }),
      )
      .default({})
      .describe("API keys beside the generated one."),
    workspaces: z
      .record(
        Name,
        z.strictObject({
          path: Path.describe("The project folder; ~ and paths relative to this file work."),
        }),
      )
      .default({}),
    roots: z.array(Path).default([]).describe("Folders whose subfolders a request may open by name or path."),
    defaultAgent: Name.optional().describe("The agent of requests without a model."),
    agents: z.record(Name, z.discriminatedUnion("driver", [HeadlessAgent, ChannelAgent, CommandAgent])),
    claude: z
      .strictObject({
        bin: Path.default("claude").describe("The claude CLI: a name on PATH or a path."),
        env: Environment.default({}).describe(
          "Environment variables for Claude, such as ANTHROPIC_BASE_URL.",
        ),
      })
      .prefault({}),
    limits: Limits.prefault({}),
    log: z
      .strictObject({ level: z.enum(logLevels).optional().describe("Default: info, on a terminal warn.") })
      .prefault({}),
  })
  .check((context) => {
    const { agents, keys, workspaces, defaultAgent, server } = context.value;
    const complain = (path: PropertyKey[], message: string) =>
      context.issues.push({ code: "custom", path, message, input: context.value });
    if (Object.keys(agents).length === 0) complain(["agents"], "name at least one agent");
    for (const [name, agent] of Object.entries(agents)) {
      if (agent.asks.mode === "chat" && !agent.asks.by.includes("chat")) {
        complain(
          ["agents", name, "asks", "by"],
          "asks.mode chat is answered in the chat: add chat to asks.by",
        );
      }
      if (Object.hasOwn(workspaces, agent.workspace)) continue;
      complain(
        ["agents", name, "workspace"],
        `no workspace is called "${agent.workspace}": add it under workspaces`,
      );
    }
    if (defaultAgent !== undefined && !Object.hasOwn(agents, defaultAgent)) {
      complain(["defaultAgent"], `no agent is called "${defaultAgent}": ${Object.keys(agents).join(", ")}`);
    }
    if (Object.hasOwn(keys, GENERATED_KEY)) {
      // Sessions belong to the name of the key that made them.
      complain(["keys", GENERATED_KEY], "the generated API key has this name: choose another");
    }
    if (!isLoopback(server.host) && server.allowedHosts.length === 0) {
      complain(
        ["server", "host"],
        `"${server.host}" is a network address: name the hosts that clients will use in server.allowedHosts, or keep 127.0.0.1`,
      );
    }
  });
export type ConfigFile = z.output<typeof ConfigFile>;

/** Whether only this machine can reach a listener on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
