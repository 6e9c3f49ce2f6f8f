import { HeadlessAsks, type AgentSettings } from "@synthesis/config";
import { fakeClaudeCommand, tempFolder } from "@synthesis/testkit";
import { ServedWorkspace } from "./served-workspace.ts";
import type { TestWorkspace, TestWorkspaceOptions } from "./test-workspace.ts";

/** An agent with the `channel` driver. */
function channelAgent(terminal: "own" | "yours"): AgentSettings {
  return {
    driver: "channel",
    workspace: "w",
    terminal,
    channels: "approved",
    permissionMode: "default",
    files: "link",
    asks: HeadlessAsks.parse({}),
  };
}

/** A served workspace with the agents `own` and `yours`, and an interactive Claude that is a fake unless told otherwise. */
export class ChannelWorkspace implements AsyncDisposable {
  readonly space: TestWorkspace;
  readonly #stack: AsyncDisposableStack;

  private constructor(space: TestWorkspace, stack: AsyncDisposableStack) {
    this.space = space;
    this.#stack = stack;
  }

  static async start(options: TestWorkspaceOptions = {}): Promise<ChannelWorkspace> {
    await using stack = new AsyncDisposableStack();
    const bin = stack.use(await tempFolder());
    const served = stack.use(
      await ServedWorkspace.start({
        claudeBin: await fakeClaudeCommand(bin.path, "channel-claude"),
        agents: { own: channelAgent("own"), yours: channelAgent("yours") },
        ...options,
      }),
    );
    return new ChannelWorkspace(served.space, stack.move());
  }

  /** The URL of a WebSocket on the worker's socket. */
  url(path: string): string {
    return `ws+unix://${this.space.configuration.socketPath}:${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
