import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AgentSettings, Limits } from "@synthesis/config";
import type { Submit } from "@synthesis/protocol";
import {
  claudeEnv,
  eventually,
  fakeClaudeCommand,
  pinnedClaude,
  tempFolder,
  testMarkPrefix,
  type MessagesStandIn,
  type TempFolder,
} from "@synthesis/testkit";
import { expect } from "vitest";
import { Bridge } from "../../../src/bridge/bridge.ts";
import type { AgentProcess, AgentTurnEnd } from "../../../src/drivers/agent-process.ts";
import { transcriptFile } from "../../../src/drivers/headless/transcript.ts";
import { traceTurn, type TurnTrace } from "../../../src/drivers/headless/turn-trace.ts";
import { openAgent } from "../../../src/drivers/open-agent.ts";
import { TurnRun } from "../../../src/turn/turn-run.ts";
import type { WorkerConfiguration } from "../../../src/worker-configuration.ts";
import { LogRecorder } from "../../support/log-recorder.ts";
import { testLimits } from "../../support/test-limits.ts";

export interface RigOptions {
  readonly limits?: Partial<Limits>;
  readonly env?: Readonly<Record<string, string>>;
  /** The stand-in that the real CLI talks to; without one it is the fake. */
  readonly api?: MessagesStandIn;
}

/** One turn as it went. */
export class RigTurn {
  readonly id: string;
  text = "";
  reasoning = "";
  /** What `onAccountHeld` was told. */
  readonly held: number[] = [];
  readonly cancel = new AbortController();
  end!: Promise<AgentTurnEnd>;

  constructor(id: string) {
    this.id = id;
  }

  async untilText(text: string): Promise<void> {
    await eventually(() => expect(this.text).toContain(text));
  }
}

/** One session on the headless driver, the fake `claude` or the real one, without anything above it. */
export class ClaudeRig implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly configuration: WorkerConfiguration;
  readonly sessionId = randomUUID();
  readonly log = new LogRecorder();
  unsolicited = 0;
  #process: AgentProcess | undefined;
  #isFirst = true;
  #isWarm = false;

  private constructor(folder: TempFolder, configuration: WorkerConfiguration) {
    this.folder = folder;
    this.configuration = configuration;
  }

  /** The real CLI may use Bash without asking. */
  static async start({ api, limits, env }: RigOptions = {}): Promise<ClaudeRig> {
    const folder = await tempFolder();
    const [path, configDir] = [folder.join("project"), folder.join("claude-config")];
    await mkdir(path);
    await mkdir(configDir);
    await writeFile(`${configDir}/settings.json`, JSON.stringify({ permissions: { allow: ["Bash"] } }));
    const real = api === undefined ? {} : claudeEnv(api, folder.path);
    const bin = api === undefined ? await fakeClaudeCommand(folder.path) : pinnedClaude();
    return new ClaudeRig(folder, {
      workspace: "w",
      path,
      epoch: 1,
      socketPath: folder.join("worker.sock"),
      journalFile: folder.join("journal.sqlite"),
      markPrefix: `${testMarkPrefix}rig`,
      agents: {},
      claude: { bin, env: { ...real, CLAUDE_CONFIG_DIR: configDir, ...env } },
      limits: testLimits(limits),
      logLevel: "error",
    });
  }

  get process(): AgentProcess {
    if (this.#process === undefined) throw new Error("no process is open");
    return this.#process;
  }

  /** A process of the session; the first one begins it, later ones resume it. */
  open(cutTurn?: TurnTrace): void {
    const agent: AgentSettings = {
      driver: "headless",
      workspace: "w",
      permissionMode: "default",
      onInterrupt: "resume",
    };
    const { configuration, log } = this;
    const bridge = new Bridge(configuration.limits, log, () => {}); // not started: no plugin comes
    const claude = { id: this.sessionId, resume: !this.#isFirst, cutTurn };
    const onUnsolicited = () => this.unsolicited++;
    this.#process = openAgent({ configuration, bridge, log, onUnsolicited }, { key: "k", agent, claude });
    this.#isFirst = false;
    this.#isWarm = false;
  }

  /** Begins a turn on the open process; a process is opened where there is none. */
  run(prompt: string, resumed?: { readonly turn: RigTurn }): RigTurn {
    if (this.#process === undefined) this.open();
    const turn = new RigTurn(resumed?.turn.id ?? randomUUID());
    turn.end = new TurnRun({
      process: this.process,
      turn: {
        order: orderOf(turn.id, prompt),
        cancel: turn.cancel.signal,
        shown: resumed?.turn.text ?? "",
        start: () => {},
        text: (text: string) => void (turn.text += text),
        reasoning: (text: string) => void (turn.reasoning += text),
        note: (text: string) => void (turn.reasoning += text),
      },
      limits: this.configuration.limits,
      leftMs: this.configuration.limits.turnMs,
      isWarm: this.#isWarm,
      resumes: resumed !== undefined,
      onAccountHeld: (until: number) => turn.held.push(until),
    }).run();
    this.#isWarm = true;
    return turn;
  }

  /** SIGKILLs the process and all it started. */
  async kill(): Promise<void> {
    await this.process.kill({ code: "test", message: "killed by the test" });
  }

  /** A new process, to finish a turn whose process is dead. */
  async resume(cut: RigTurn, prompt: string): Promise<RigTurn> {
    await this.process.closed;
    this.open(await this.trace(cut));
    return this.run(prompt, { turn: cut });
  }

  async trace({ id }: Pick<RigTurn, "id">): Promise<TurnTrace> {
    return traceTurn(this.configuration, this.sessionId, id);
  }

  /** What Claude wrote of the session so far. */
  async transcript(): Promise<string> {
    const file = await transcriptFile(this.configuration, this.sessionId);
    return file === undefined ? "" : readFile(file, "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.kill({ code: "test", message: "the test is over" });
    await this.folder[Symbol.asyncDispose]();
  }
}

function orderOf(turn: string, prompt: string): Submit {
  const hash = "0".repeat(64);
  return {
    type: "submit",
    turn,
    request: { caller: hash, body: hash, prompt: hash },
    session: { id: "s", key: "k", agent: "a", scope: hash },
    prompt,
    needsMemory: false,
  };
}
