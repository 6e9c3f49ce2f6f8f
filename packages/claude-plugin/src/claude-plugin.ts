import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  type InboundTurn,
  MissingVariableError,
  type PluginClient,
  pluginClientFromEnvironment,
  type PluginEnvironment,
} from "@synthesis/protocol/plugin-client";
import { CHANNEL_CAPABILITY, channelNotification } from "./channel-notification.ts";
import { CurrentTurn } from "./current-turn.ts";
import { registerReplyTool } from "./reply-tool.ts";

const INSTRUCTIONS = `Messages arrive as <channel source="synthesis" …>…</channel>. Answer each with the tool "reply": \
only what is passed to it reaches the sender. For a long answer, call it with final: false for each part; the call \
without it ends the answer.`;

/** The MCP server that a Claude Code process loads, and its connection to the Synthesis worker. */
export class ClaudePlugin {
  readonly #server = new McpServer(
    { name: "synthesis", version: "0.1.0" },
    { capabilities: { experimental: CHANNEL_CAPABILITY }, instructions: INSTRUCTIONS },
  );
  readonly #turn: CurrentTurn;
  readonly #client: PluginClient | undefined;

  /** Without its variables the plugin serves all the same: its tool then says what is missing. */
  constructor(environment: PluginEnvironment) {
    let obstacle: string | undefined;
    try {
      this.#client = pluginClientFromEnvironment(
        {
          onInbound: (turn) => this.#take(turn),
          onClose: (end) => this.#turn.block(end.message),
        },
        environment,
      );
    } catch (error) {
      if (!(error instanceof MissingVariableError)) throw error;
      obstacle = error.message;
    }
    this.#turn = new CurrentTurn(obstacle);
    registerReplyTool(this.#server, this.#turn);
  }

  /** Serves Claude over `transport`; the connection to the worker begins when Claude is ready for notifications. */
  async start(transport: Transport): Promise<void> {
    this.#server.server.oninitialized = () => {
      this.#client?.start().catch(() => undefined); // `onClose` tells why.
    };
    await this.#server.connect(transport);
  }

  async close(reason: string): Promise<void> {
    await Promise.allSettled([this.#client?.close(reason), this.#server.close()]);
  }

  async #take(turn: InboundTurn): Promise<void> {
    this.#turn.begin(turn);
    await this.#server.server.notification(channelNotification(turn));
  }
}
