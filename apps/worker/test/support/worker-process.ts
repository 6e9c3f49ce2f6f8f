import { mkdir } from "node:fs/promises";
import type { AgentSettings, Limits } from "@synthesis/config";
import { ForkedChild, killMarked } from "@synthesis/kit";
import { fakeClaudeCommand, fixtures, testMarkPrefix, type TempFolder } from "@synthesis/testkit";
import type { WorkerConfiguration } from "../../src/worker-configuration.ts";
import { LogRecorder } from "./log-recorder.ts";
import { attachTo, type GatewayPeer } from "./served-workspace.ts";
import { testLimits } from "./test-limits.ts";
import { commandAgent } from "./test-workspace.ts";
import { defaultAsks } from "./default-asks.ts";

/** A worker in a process of its own, forked as the supervisor does it. */
export class WorkerProcess implements AsyncDisposable {
  readonly configuration: WorkerConfiguration;
  readonly #child: ForkedChild;

  private constructor(configuration: WorkerConfiguration, folder: TempFolder) {
    this.configuration = configuration;
    this.#child = new ForkedChild({
      entry: import.meta.resolve("@synthesis/worker/main"),
      configuration,
      mark: `${testMarkPrefix}worker`,
      startMs: 20_000,
      closeMs: 5_000,
      silentMs: 20_000,
      compileCacheDir: folder.join("compile-cache"),
      log: new LogRecorder(),
      onMessage: () => {},
    });
  }

  /** One generation of the worker whose files are in `folder`. */
  static async start(
    folder: TempFolder,
    epoch: number,
    limits: Partial<Limits> = {},
  ): Promise<WorkerProcess> {
    await mkdir(folder.join("project"), { recursive: true });
    const claude = { driver: "headless", workspace: "w", permissionMode: "default" } as const;
    const agents: Record<string, AgentSettings> = {
      claude: {
        ...claude,
        onInterrupt: "report",
        instructions: "append",
        reasoning: "full",
        files: "link",
        asks: defaultAsks,
      },
      resuming: {
        ...claude,
        onInterrupt: "resume",
        instructions: "append",
        reasoning: "full",
        files: "link",
        asks: defaultAsks,
      },
      seed: commandAgent(fixtures.seedPlugin),
    };
    const worker = new WorkerProcess(
      {
        workspace: "w",
        path: folder.join("project"),
        epoch,
        socketPath: folder.join(`worker-${epoch}.sock`),
        journalFile: folder.join("journal.sqlite"),
        filesDir: folder.join("files"),
        receivedDir: folder.join("received"),
        markPrefix: `${testMarkPrefix}w${epoch}`,
        agents,
        claude: {
          bin: await fakeClaudeCommand(folder.path),
          env: { CLAUDE_CONFIG_DIR: folder.join("claude-config") },
        },
        limits: testLimits(limits),
        logLevel: "error",
      },
      folder,
    );
    await worker.#child.ready;
    return worker;
  }

  attach(): Promise<GatewayPeer> {
    return attachTo(this.configuration.socketPath);
  }

  /** Kills it and, as the supervisor does, all that it left behind. */
  async kill(): Promise<void> {
    this.#child.kill({ code: "killed", message: "the test kills it" });
    await this.#child.closed;
    killMarked(this.configuration.markPrefix);
  }

  /** Ends it as a restart does; returns why it says that it has ended. */
  async close(drainMs: number): Promise<string> {
    await this.#child.close({ code: "restart", message: "the test restarts it" }, drainMs);
    const { message } = await this.#child.closed;
    return message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
