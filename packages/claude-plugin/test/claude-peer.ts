import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Notification } from "@modelcontextprotocol/sdk/types.js";
import { expect } from "vitest";
import { TestBridge, type RawFrame } from "../../protocol/test/test-bridge.ts";
import { pluginCommand } from "./plugin-process.ts";

/** The official MCP SDK's client in Claude's place, at the real plugin process. */
export class ClaudePeer implements AsyncDisposable {
  readonly client = new Client({ name: "claude", version: "0" });
  readonly #inbox: Notification[] = [];
  #wake: (() => void) | undefined;

  static async start(env: Readonly<Record<string, string>>): Promise<ClaudePeer> {
    const peer = new ClaudePeer();
    peer.client.fallbackNotificationHandler = async (notification) => {
      peer.#inbox.push(notification);
      peer.#wake?.();
    };
    const transport = new StdioClientTransport({
      ...(await pluginCommand()),
      env: { ...env },
      stderr: "ignore",
    });
    await peer.client.connect(transport);
    return peer;
  }

  /** The next notification that was not taken yet. */
  async notification(): Promise<Notification> {
    while (this.#inbox.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#inbox.shift()!;
  }

  /** Notifications that were not taken. */
  get untaken(): readonly Notification[] {
    return this.#inbox;
  }

  async reply(input: Record<string, unknown>): Promise<unknown> {
    const { content, isError } = await this.client.callTool({ name: "reply", arguments: input });
    return { content, isError };
  }

  /** What a hook of Claude's gets for an answer. */
  async hook(event: string, input: Record<string, string> = {}, signal?: AbortSignal): Promise<unknown> {
    const call = { name: "hook", arguments: { event, ...input } };
    const { content } = await this.client.callTool(call, undefined, signal ? { signal } : {});
    const [{ text }] = content as [{ text: string }];
    return JSON.parse(text);
  }

  /** Claude has the message before it, as a prompt. */
  async prompted(messageId: string): Promise<void> {
    const prompt = `<channel source="plugin:synthesis:bridge" message_id="${messageId}">\nhello\n</channel>`;
    expect(await this.hook("UserPromptSubmit", { prompt })).toEqual({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

/** A plugin that has said hello to a bridge which takes up all it can do. */
export async function connected(env: Readonly<Record<string, string>> = {}) {
  const stack = new AsyncDisposableStack();
  const bridge = stack.use(await TestBridge.listen());
  const claude = stack.use(
    await ClaudePeer.start({
      SYNTHESIS_BRIDGE_URL: bridge.url,
      SYNTHESIS_SESSION_KEY: "agent::chat",
      ...env,
    }),
  );
  const capabilities = ["cancel", "seen", "turn_over", "asks", "attachments"];
  const { peer, hello } = await bridge.greeted(undefined, { capabilities });
  return { bridge, peer, hello, claude, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A frame's fields, without what numbers it. */
export function said(frame: RawFrame): Record<string, unknown> {
  const fields = Object.entries(frame).filter(([name]) => name !== "seq" && name !== "epoch");
  return Object.fromEntries(fields);
}
