import { rm } from "node:fs/promises";
import { join } from "node:path";
import { claudeEnv, MessagesStandIn, pinnedClaude, tempFolder } from "@synthesis/testkit";
import { Synthesis, type SynthesisOptions } from "./synthesis.ts";

/** Synthesis with the pinned Claude Code, which talks to a stand-in for its API. */
export class WithClaude implements AsyncDisposable {
  readonly api: MessagesStandIn;
  readonly synthesis: Synthesis;
  readonly #home: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(api: MessagesStandIn, synthesis: Synthesis, home: string, stack: AsyncDisposableStack) {
    this.api = api;
    this.synthesis = synthesis;
    this.#home = home;
    this.#stack = stack;
  }

  /** `claudeEnvironment` is added to what `claude.env` sets for the stand-in. */
  static async start(
    options: SynthesisOptions = {},
    claudeEnvironment: Readonly<Record<string, string>> = {},
  ): Promise<WithClaude> {
    await using stack = new AsyncDisposableStack();
    const api = stack.use(await MessagesStandIn.start());
    const home = stack.use(await tempFolder());
    const { PATH: _, ...env } = claudeEnv(api, join(home.path));
    const claude = { bin: pinnedClaude(), env: { ...env, ...claudeEnvironment } };
    const synthesis = stack.use(await Synthesis.start({ claude, ...options }));
    return new WithClaude(api, synthesis, home.path, stack.move());
  }

  /** Deletes what Claude Code remembers of every conversation. */
  async forgetTranscripts(): Promise<void> {
    await rm(join(this.#home, ".claude", "projects"), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
