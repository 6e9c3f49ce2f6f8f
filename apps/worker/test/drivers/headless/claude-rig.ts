import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { AgentSettings, Limits } from "@synthesis/config";
import type { AskVerdict, Attachment, Prompt, ToolCallDelta, TranscriptCall } from "@synthesis/protocol";
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
import type { AskRequest } from "../../../src/asks/ask-request.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd } from "../../../src/drivers/agent-process.ts";
import type { ClaudeSession, HeadlessSettings } from "../../../src/drivers/headless/claude-arguments.ts";
import { transcriptFile } from "../../../src/drivers/headless/transcript.ts";
import { traceTurn, type TurnTrace } from "../../../src/drivers/headless/turn-trace.ts";
import { openAgent } from "../../../src/drivers/open-agent.ts";
import { LiveClaudes } from "../../../src/drivers/live/live-claudes.ts";
import { ReceivedFiles } from "../../../src/files/received-files.ts";
import type { TurnEvent } from "../../../src/turn/turn-event.ts";
import { TurnRun } from "../../../src/turn/turn-run.ts";
import type { WorkerConfiguration } from "../../../src/worker-configuration.ts";
import { LogRecorder } from "../../support/log-recorder.ts";
import { testLimits } from "../../support/test-limits.ts";
import { defaultAsks } from "../../support/default-asks.ts";

export interface RigOptions {
  readonly limits?: Partial<Limits>;
  readonly env?: Readonly<Record<string, string>>;
  /** The stand-in that the real CLI talks to; without one it is the fake. */
  readonly api?: MessagesStandIn;
  /** Another program than the fake. */
  readonly bin?: string;
  /** What of the agent's settings is not as by default. */
  readonly agent?: Partial<HeadlessSettings>;
}

/** What a turn may ask for beside its prompt. */
export type TurnExtras = Partial<
  Pick<AgentTurn, "model" | "effort" | "instructions" | "tools" | "answerSchema">
>;

/** How a process is opened, where it is not the session's next one. */
export interface Opening {
  readonly claude?: Partial<ClaudeSession>;
  readonly launch?: Partial<Pick<AgentTurn, "instructions" | "answerSchema">>;
}

/** One turn as it went. */
export class RigTurn {
  readonly id: string;
  text = "";
  reasoning = "";
  /** The pieces of its calls, as they came. */
  readonly pieces: ToolCallDelta[] = [];
  /** What its agent took up within it, and the text until then. */
  readonly steered: { readonly message: string; readonly before: string }[] = [];
  /** What `onAccountHeld` was told. */
  readonly held: number[] = [];
  /** The names of the files that were attached. */
  readonly files: string[] = [];
  /** What its agent asked. */
  readonly asks: { readonly request: AskRequest }[] = [];
  /** On all that it asks. */
  readonly verdict = Promise.withResolvers<AskVerdict>();
  readonly cancel = new AbortController();
  end!: Promise<AgentTurnEnd>;

  constructor(id: string) {
    this.id = id;
  }

  /** Its calls, put together as a client does. */
  get calls(): TranscriptCall[] {
    const calls: { id: string; name: string; arguments: string }[] = [];
    for (const { index, id, name, arguments: json } of this.pieces) {
      if (id !== undefined && name !== undefined) calls[index] = { id, name, arguments: "" };
      const call = calls[index];
      if (call !== undefined) call.arguments += json;
    }
    return calls;
  }

  take(event: TurnEvent): void {
    if (event.kind === "text") this.text += event.text;
    if (event.kind === "reasoning" || event.kind === "note") this.reasoning += event.text;
    if (event.kind === "tool_call") this.pieces.push(event.call);
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
  readonly #agent: Partial<HeadlessSettings>;

  private constructor(
    folder: TempFolder,
    configuration: WorkerConfiguration,
    agent: Partial<HeadlessSettings>,
  ) {
    this.folder = folder;
    this.configuration = configuration;
    this.#agent = agent;
  }

  /** The real CLI may use Bash without asking. */
  static async start({ api, limits, env, bin: program, agent = {} }: RigOptions = {}): Promise<ClaudeRig> {
    const folder = await tempFolder();
    const [path, configDir] = [folder.join("project"), folder.join("claude-config")];
    await mkdir(path);
    await mkdir(configDir);
    await writeFile(`${configDir}/settings.json`, JSON.stringify({ permissions: { allow: ["Bash"] } }));
    const real = api === undefined ? {} : claudeEnv(api, folder.path);
    const standard = api === undefined ? await fakeClaudeCommand(folder.path) : pinnedClaude();
    const bin = program ?? standard;
    const configuration: WorkerConfiguration = {
      workspace: "w",
      path,
      epoch: 1,
      socketPath: folder.join("worker.sock"),
      journalFile: folder.join("journal.sqlite"),
      filesDir: folder.join("files"),
      receivedDir: folder.join("received"),
      markPrefix: `${testMarkPrefix}rig`,
      agents: {},
      claude: { bin, env: { ...real, CLAUDE_CONFIG_DIR: configDir, ...env } },
      limits: testLimits(limits),
      logLevel: "error",
    };
    return new ClaudeRig(folder, configuration, agent);
  }

  get process(): AgentProcess {
    if (this.#process === undefined) throw new Error("no process is open");
    return this.#process;
  }

  /** A process of the session; the first one begins it, later ones resume it. */
  open({ claude, launch }: Opening = {}): void {
    const agent: AgentSettings = {
      driver: "headless",
      workspace: "w",
      permissionMode: "default",
      onInterrupt: "resume",
      instructions: "append",
      reasoning: "full",
      files: "link",
      asks: defaultAsks,
      ...this.#agent,
    };
    const { configuration, log } = this;
    const bridge = new Bridge(configuration.limits, log, () => {}); // not started: no plugin comes
    const { receivedDir, limits } = configuration;
    const received = new ReceivedFiles({ folder: receivedDir, limits, log });
    const surroundings = {
      configuration,
      bridge,
      log,
      received,
      onUnsolicited: () => void this.unsolicited++,
    };
    this.#process = openAgent(
      { ...surroundings, liveClaudes: new LiveClaudes(surroundings) },
      {
        id: "s",
        key: "k",
        caller: "c",
        name: "a",
        agent,
        claude: { id: this.sessionId, resume: !this.#isFirst, cutTurn: undefined, ...claude },
        launch: { instructions: undefined, answerSchema: undefined, ...launch },
        keepRules: () => true,
      },
    );
    this.#isFirst = false;
    this.#isWarm = false;
  }

  /** Begins a turn on the open process; a process is opened for it where there is none. */
  run(prompt: Prompt, extras: TurnExtras = {}, cut?: RigTurn): RigTurn {
    const { instructions, answerSchema } = extras;
    if (this.#process === undefined) this.open({ launch: { instructions, answerSchema } });
    const turn = new RigTurn(cut?.id ?? randomUUID());
    turn.end = new TurnRun({
      process: this.process,
      turn: {
        cancel: turn.cancel.signal,
        start: () => {},
        answer: (event) => {
          turn.take(event);
          return undefined;
        },
        remark: (event) => turn.take(event),
        runsOn: () => {},
        ask: (request: AskRequest) => {
          const withdrawn = Promise.withResolvers<AskVerdict>();
          turn.asks.push({ request });
          return {
            verdict: Promise.race([turn.verdict.promise, withdrawn.promise]),
            withdraw: () => withdrawn.resolve({ behavior: "deny" }),
          };
        },
        attach: async ({ name }: Attachment) => {
          turn.files.push(name);
          return {};
        },
        allTold: Promise.resolve(),
        steered: (message: string) => void turn.steered.push({ message, before: turn.text }),
      },
      told: {
        id: turn.id,
        prompt,
        model: undefined,
        effort: undefined,
        instructions,
        tools: [],
        answerSchema,
        ...extras,
        resumes: cut !== undefined,
        shown: cut?.text ?? "",
      },
      limits: this.configuration.limits,
      leftMs: this.configuration.limits.turnMs,
      isWarm: this.#isWarm,
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
  async resume(cut: RigTurn, prompt: string, extras: TurnExtras = {}): Promise<RigTurn> {
    await this.process.closed;
    this.open({ claude: { cutTurn: await this.trace(cut) } });
    return this.run(prompt, extras, cut);
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
