import { mkdir } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import type { AgentSettings, HeadlessAsks, Limits } from "@synthesis/config";
import { fakeClaudeCommand, fixtures, tempFolder, testMarkPrefix, type TempFolder } from "@synthesis/testkit";
import type { WorkerConfiguration } from "../../src/worker-configuration.ts";
import { Workspace } from "../../src/workspace.ts";
import { LogRecorder } from "./log-recorder.ts";
import { RecordedTurn, type TurnOutcome } from "./recorded-turn.ts";
import { testLimits } from "./test-limits.ts";
import { testSubmit, type SubmitOptions } from "./test-submit.ts";
import { defaultAsks } from "./default-asks.ts";

export { type SubmitOptions } from "./test-submit.ts";

export interface TestWorkspaceOptions {
  readonly limits?: Partial<Limits>;
  readonly agents?: Readonly<Record<string, AgentSettings>>;
  /** What `asks` of the agent `claude` has that is not as by default. */
  readonly asks?: Partial<HeadlessAsks>;
  readonly claudeBin?: string;
  /** What Claude's environment has beside its configuration folder. */
  readonly claudeEnv?: Readonly<Record<string, string>>;
  /** An earlier workspace's folder, to open it again; it is then not removed. */
  readonly folder?: TempFolder;
  /** Generation of the worker; default: 1. */
  readonly epoch?: number;
}

/** An agent with the `command` driver that runs one of testkit's programs. */
export function commandAgent(...program: readonly string[]): AgentSettings {
  return {
    driver: "command",
    workspace: "w",
    command: ["{node}", ...program],
    env: {},
    files: "link" as const,
    asks: defaultAsks,
  };
}

/** A real workspace in a folder of its own, with the agents `claude` (the fake) and `seed` (the seed's plugin). */
export class TestWorkspace implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly configuration: WorkerConfiguration;
  readonly log = new LogRecorder();
  readonly workspace: Workspace;
  /** Until when its account was held, each time that changed. */
  readonly holds: (number | undefined)[] = [];
  /** How often its journal asked for another worker. */
  damages = 0;
  readonly #ownsFolder: boolean;
  #closed = false;

  private constructor(folder: TempFolder, configuration: WorkerConfiguration, ownsFolder: boolean) {
    this.folder = folder;
    this.configuration = configuration;
    this.#ownsFolder = ownsFolder;
    this.workspace = new Workspace({
      configuration,
      log: this.log,
      onChange: () => {},
      onAccountHeld: (until) => this.holds.push(until),
      onJournalDamage: () => this.damages++,
    });
  }

  static async start(options: TestWorkspaceOptions = {}): Promise<TestWorkspace> {
    const folder = options.folder ?? (await tempFolder());
    await mkdir(folder.join("project"), { recursive: true });
    const claude: AgentSettings = {
      driver: "headless",
      workspace: "w",
      permissionMode: "default",
      onInterrupt: "report",
      instructions: "append",
      reasoning: "full",
      files: "link",
      asks: { ...defaultAsks, ...options.asks },
    };
    const test = new TestWorkspace(
      folder,
      {
        workspace: "w",
        path: folder.join("project"),
        epoch: options.epoch ?? 1,
        socketPath: folder.join("worker.sock"),
        journalFile: folder.join("journal.sqlite"),
        filesDir: folder.join("files"),
        receivedDir: folder.join("received"),
        markPrefix: `${testMarkPrefix}w`,
        agents: { claude, seed: commandAgent(fixtures.seedPlugin), ...options.agents },
        claude: {
          bin: options.claudeBin ?? (await fakeClaudeCommand(folder.path)),
          env: { ...options.claudeEnv, CLAUDE_CONFIG_DIR: folder.join("claude-config") },
        },
        limits: testLimits(options.limits),
        logLevel: "error",
      },
      options.folder === undefined,
    );
    try {
      await test.workspace.start();
    } catch (error) {
      await test.close();
      throw error;
    }
    return test;
  }

  /** Hands in a turn of session `s` of agent `claude`, unless told otherwise. */
  submit(prompt: string, options: SubmitOptions = {}): RecordedTurn {
    const turn = new RecordedTurn();
    this.workspace.submit(testSubmit(turn.id, prompt, options), turn);
    return turn;
  }

  /** Follows a turn from after a number. */
  follow(id: string, after = 0): RecordedTurn {
    const turn = new RecordedTurn(id);
    this.workspace.follow(id, after, turn);
    return turn;
  }

  /** Hands in a turn and waits for its end. */
  async run(
    prompt: string,
    options: SubmitOptions = {},
  ): Promise<{ readonly turn: RecordedTurn; readonly outcome: TurnOutcome; readonly answer: string }> {
    const turn = this.submit(prompt, options);
    const outcome = await turn.outcome;
    return { turn, outcome, answer: turn.answer };
  }

  /** The turns that stand in the journal in this state, oldest first. */
  journaled(state: string): unknown[] {
    using database = new DatabaseSync(this.configuration.journalFile);
    const rows = database
      .prepare("SELECT id FROM turns WHERE state = ? ORDER BY accepted_at, rowid")
      .all(state);
    return rows.map(({ id }) => id);
  }

  /** The codes for which agent processes ended, in order. */
  get exits(): unknown[] {
    return this.log.fieldsOf("agent.exited").map(({ reason }) => reason);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.workspace.close({ code: "closing", message: "the test is over" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    if (this.#ownsFolder) await this.folder[Symbol.asyncDispose]();
  }
}
