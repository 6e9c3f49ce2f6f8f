import { randomUUID } from "node:crypto";
import type { Limits } from "@synthesis/config";
import type { AskVerdict, Prompt, WireError } from "@synthesis/protocol";
import { tempFolder, testMarkPrefix, type TempFolder } from "@synthesis/testkit";
import { nanoid } from "nanoid";
import { Bridge } from "../../src/bridge/bridge.ts";
import type { AskRequest } from "../../src/asks/ask-request.ts";
import type { AgentTurnEnd } from "../../src/drivers/agent-process.ts";
import { CommandProcess } from "../../src/drivers/command/command-process.ts";
import type { InboxOptions } from "../../src/files/inbox.ts";
import { ReceivedFiles } from "../../src/files/received-files.ts";
import { AgentChild } from "../../src/process/agent-child.ts";
import { LogRecorder } from "./log-recorder.ts";
import { Peer } from "./peer.ts";
import { testLimits } from "./test-limits.ts";

/** A turn on a {@link PluginRig}, with everything that came of it. */
export interface RigTurn {
  readonly id: string;
  readonly events: string[];
  readonly stages: string[];
  readonly hopeless: WireError[];
  /** How often the agent was said to be at work. */
  readonly lives: number;
  readonly asks: RigAsk[];
  readonly end: Promise<AgentTurnEnd>;
}

/** What was asked of a person, who is the test. */
interface RigAsk {
  readonly request: AskRequest;
  readonly withdrawn: AbortSignal;
  say(verdict: AskVerdict): void;
}

type KeptFor = InboxOptions["keptFor"];

interface PluginRigOptions {
  readonly bridge?: Bridge;
  readonly sessionKey?: string;
  /** How long the files of its prompts are. */
  readonly keptFor?: KeptFor;
}

/** A command process whose program only sleeps: the test itself is its plugin, on as many connections as it likes. */
export class PluginRig implements AsyncDisposable {
  readonly bridge: Bridge;
  /** Where the files of its prompts lie. */
  readonly received: TempFolder;
  readonly log = new LogRecorder();
  readonly process: CommandProcess;
  unsolicited = 0;
  readonly #sessionKey: string;
  #url = "";

  private constructor(
    bridge: Bridge,
    limits: Limits,
    sessionKey: string,
    keptFor: KeptFor,
    received: TempFolder,
  ) {
    this.bridge = bridge;
    this.received = received;
    this.#sessionKey = sessionKey;
    const { log } = this;
    const files = new ReceivedFiles({ folder: received.path, limits, log });
    files.start();
    this.process = new CommandProcess({
      bridge,
      inbox: files.inbox("session", keptFor),
      sessionKey,
      workspacePath: "/workspace",
      program: "sleep",
      limits,
      log,
      onUnsolicited: () => this.unsolicited++,
      spawn: (bridgeUrl) => {
        this.#url = bridgeUrl;
        return new AgentChild({
          command: "sleep",
          args: ["300"],
          cwd: process.cwd(),
          env: { PATH: process.env["PATH"] ?? "" },
          mark: `${testMarkPrefix}${nanoid()}`,
          closeMs: 2000,
          endedBy: "SIGTERM",
          log,
          onStdout: () => {},
        });
      },
    });
  }

  /** With a bridge of its own, unless it shares another rig's, which then closes it. */
  static async start(
    limits: Partial<Limits> = {},
    { bridge, sessionKey = "agent::chat", keptFor = "session" }: PluginRigOptions = {},
  ): Promise<PluginRig> {
    const own = bridge ?? new Bridge(testLimits(limits), new LogRecorder());
    if (bridge === undefined) await own.start();
    return new PluginRig(own, testLimits(limits), sessionKey, keptFor, await tempFolder());
  }

  /** The URL that its program was given. */
  get url(): string {
    return this.#url;
  }

  /** A connection that said hello and was answered. */
  async connect(hello: object = {}): Promise<Peer> {
    const peer = new Peer(this.#url);
    await peer.opened;
    peer.send({ type: "hello", pid: 1, openclaw_session: this.#sessionKey, ...hello });
    await peer.next("hello_ack");
    return peer;
  }

  run(prompt: Prompt, onStart: () => void = () => {}): RigTurn {
    const id = randomUUID();
    const events: string[] = [];
    const stages: string[] = [];
    const hopeless: WireError[] = [];
    const asks: RigAsk[] = [];
    let lives = 0;
    const end = this.process.run(
      {
        id,
        prompt,
        model: undefined,
        effort: undefined,
        instructions: undefined,
        tools: [],
        answerSchema: undefined,
        resumes: false,
        shown: "",
      },
      {
        onStart: () => {
          onStart();
          events.push("start");
        },
        onText: (text) => events.push(`text:${text}`),
        onReasoning: (text) => events.push(`reasoning:${text}`),
        onNote: (text) => events.push(`note:${text}`),
        onToolCall: () => {},
        onFile: async ({ name }) => void events.push(`file:${name}`),
        onSteered: () => {},
        onAsk: (request) => {
          const { promise: verdict, resolve: say } = Promise.withResolvers<AskVerdict>();
          const withdrawn = new AbortController();
          asks.push({ request, withdrawn: withdrawn.signal, say });
          return { verdict, withdraw: () => withdrawn.abort() };
        },
        onLife: () => lives++,
        onStage: ({ name }) => stages.push(name),
        onAccountHeld: () => {},
        onHopeless: (error) => hopeless.push(error),
      },
    );
    return {
      id,
      events,
      stages,
      hopeless,
      asks,
      end,
      get lives() {
        return lives;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill({ code: "test", message: "the test is over" });
    await this.bridge.close();
    await this.received[Symbol.asyncDispose]();
  }
}
