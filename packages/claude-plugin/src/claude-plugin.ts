import {
  type InboundTurn,
  pluginClientFromEnvironment,
  type PluginClient,
  type PluginEnvironment,
} from "@synthesis/protocol/plugin-client";
import manifest from "../.claude-plugin/plugin.json" with { type: "json" };
import { CHANNEL_CAPABILITIES, channelNotification } from "./channel.ts";
import { ClaudeTurns } from "./claude-turns.ts";
import { HOOK_TOOL } from "./hook-event.ts";
import { Hooks } from "./hooks.ts";
import { JsonRpcCode, JsonRpcError } from "./mcp/json-rpc.ts";
import { McpServer, type ToolResult } from "./mcp/mcp-server.ts";
import { PermissionRelay } from "./permission-relay.ts";
import { reply, replyTool } from "./reply-tool.ts";

const INSTRUCTIONS = `Messages arrive as <channel source="…synthesis…" …>…</channel>. Answer each with the tool "reply": \
only what is passed to it reaches the sender. For a long answer, call it with final: false for each part; the call \
without it ends the answer. A file that came with a message is named in it by <received_file name="…">; the attributes \
file_path, file_path_2, … say where such files lie, in the same order: open them with Read.`;

export interface ClaudePluginOptions {
  readonly environment: PluginEnvironment;
  /** The folder that Claude works in. */
  readonly workspace: string;
  /** Writes one line to Claude. */
  readonly write: (line: string) => void;
}

/** The MCP server that a Claude Code process loads, and its connection to the Synthesis worker. */
export class ClaudePlugin {
  readonly #options: ClaudePluginOptions;
  readonly #turns = new ClaudeTurns();
  readonly #server: McpServer;
  readonly #client: PluginClient;
  readonly #permissions: PermissionRelay;
  readonly #hooks: Hooks;
  /** Settles with the first answer of the bridge: then it is known which message Claude is at. */
  readonly #greeted: Promise<void>;

  /** Throws a `MissingVariableError` in a Claude that Synthesis did not start. */
  constructor(options: ClaudePluginOptions) {
    this.#options = options;
    this.#client = pluginClientFromEnvironment(
      {
        capabilities: ["seen", "turn_over", "asks", "attachments", "received_files"],
        onInbound: (turn) => {
          this.#turns.begin(turn);
          return this.#show(turn);
        },
        onUnseen: (turn) => void this.#show(turn),
        onTakeUp: (turn) => this.#turns.takeUp(turn),
        onClose: (end) => this.#turns.block(end.message),
      },
      options.environment,
    );
    this.#server = new McpServer({
      name: manifest.name,
      version: manifest.version,
      instructions: INSTRUCTIONS,
      experimental: CHANNEL_CAPABILITIES,
      tools: [replyTool],
      onCall: (name, args, signal) => this.#call(name, args, signal),
      onNotification: (method, params) => void this.#permissions.onNotification(method, params),
      write: options.write,
    });
    this.#permissions = new PermissionRelay(this.#client, this.#turns, (method, params) =>
      this.#server.notify(method, params),
    );
    this.#hooks = new Hooks(this.#turns, this.#permissions);
    this.#greeted = this.#client.start().catch(() => undefined); // `onClose` tells why.
  }

  /** Takes one line of Claude's. */
  receive(line: string): void {
    this.#server.receive(line);
  }

  async close(reason: string): Promise<void> {
    await this.#client.close(reason);
  }

  async #show(turn: InboundTurn): Promise<void> {
    await this.#server.initialized;
    const { method, params } = channelNotification(turn);
    this.#server.notify(method, params);
  }

  async #call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    // Claude starts a plugin that was killed by calling it.
    await this.#greeted;
    if (name === HOOK_TOOL) return this.#hooks.take(args, signal);
    if (name === replyTool.name) return reply(args, this.#turns, this.#options.workspace);
    throw new JsonRpcError(JsonRpcCode.invalidParams, `there is no tool "${name}" here`);
  }
}
