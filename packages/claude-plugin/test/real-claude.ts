import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { claudeEnv, descendants, MessagesStandIn, pinnedClaude, tempFolder } from "@synthesis/testkit";
import { TestBridge, type Peer } from "../../protocol/test/test-bridge.ts";
import { said } from "./claude-peer.ts";
import { PLUGIN_DIR } from "./plugin-process.ts";

export const REPLY = "mcp__plugin_synthesis_bridge__reply";

const FORMAT = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];
const FLAGS = ["-p", ...FORMAT, "--permission-mode", "default", "--plugin-dir", PLUGIN_DIR];
const CAPABILITIES = ["cancel", "seen", "turn_over", "asks", "attachments", "received_files"];

/** The pinned Claude Code with the plugin, a stand-in for its API, and a bridge by hand. */
export class RealClaude implements AsyncDisposable {
  readonly api: MessagesStandIn;
  readonly bridge: TestBridge;
  /** The plugin's first connection. */
  readonly peer: Peer;
  readonly folder: string;
  readonly #child: ChildProcessByStdio<Writable, null, null>;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<RealClaude, "api" | "bridge" | "peer" | "folder">,
    child: ChildProcessByStdio<Writable, null, null>,
    stack: AsyncDisposableStack,
  ) {
    this.api = parts.api;
    this.bridge = parts.bridge;
    this.peer = parts.peer;
    this.folder = parts.folder;
    this.#child = child;
    this.#stack = stack;
  }

  static async start(): Promise<RealClaude> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder());
    const bridge = stack.use(await TestBridge.listen());
    const api = stack.use(await MessagesStandIn.start());
    const variables = { SYNTHESIS_BRIDGE_URL: bridge.url, SYNTHESIS_SESSION_KEY: "agent::chat" };
    const env = { ...claudeEnv(api, folder.path), SYNTHESIS_NODE: process.execPath, ...variables };
    const child = spawn(pinnedClaude(), FLAGS, {
      cwd: folder.path,
      env,
      stdio: ["pipe", "ignore", "inherit"],
    });
    const exit = once(child, "exit");
    stack.defer(async () => {
      child.kill("SIGKILL");
      await exit;
    });
    const { peer } = await bridge.greeted(undefined, { capabilities: CAPABILITIES });
    return new RealClaude({ api, bridge, peer, folder: folder.path }, child, stack.move());
  }

  /**
   * Gives Claude a channel message as its prompt. The channel itself would do this in a Claude that has channels;
   * here the bridge's frame only tells the plugin of it.
   */
  async show(id: string, content: string): Promise<void> {
    this.peer.inbound(id, content);
    await this.peer.rest();
    this.prompt(`<channel source="plugin:synthesis:bridge" message_id="${id}">\n${content}\n</channel>`);
  }

  prompt(content: string): void {
    const message = { type: "user", client_composed: true, message: { role: "user", content } };
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** The bridge's next frames. */
  async hears(count: number): Promise<Record<string, unknown>[]> {
    return (await this.peer.take(count)).map(said);
  }

  /** The process of the plugin. */
  get plugin(): number {
    const found = descendants(this.#child.pid).find(({ command }) => command.includes("plugin.mjs"));
    if (found === undefined) throw new Error("the plugin does not run");
    return found.pid;
  }

  /** The next connection of the plugin, to a bridge that knows of this turn. */
  async reconnected(turn: string, received: number): Promise<Peer> {
    return (await this.bridge.greeted(received, { capabilities: CAPABILITIES, turn })).peer;
  }

  /** Ends Claude by the end of its stdin. */
  async end(): Promise<unknown[]> {
    const exit = once(this.#child, "exit");
    this.#child.stdin.end();
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
