import { execFile, spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { eventually, freePort, tempFolder, testMarkPrefix, type TempFolder } from "@synthesis/testkit";
import { expect } from "vitest";
import { AnswerStream } from "../../support/answer-stream.ts";
import { LogTail } from "../../support/log-tail.ts";
import {
  openClawConfiguration,
  type OpenClawAgent,
  type OpenClawSettings,
} from "./openclaw-configuration.ts";

type Daemon = ChildProcessByStdio<null, Readable, Readable>;

const run = promisify(execFile);
const READY_MS = 120_000;
const CLI_MS = 60_000;
/** It lets what runs go on for minutes otherwise. */
const STOP_MS = 10_000;

/** Where a message goes. */
export interface Conversation {
  /** OpenClaw's agent; `main` where absent. */
  readonly agent?: string;
  /** The last part of the session key. */
  readonly chat: string;
}

/** OpenClaw's daemon with a home of its own. */
export class OpenClaw implements AsyncDisposable {
  readonly folder: TempFolder;
  readonly #log: LogTail;
  readonly #program: string;
  readonly #daemon: Daemon;
  readonly #settings: OpenClawSettings;
  readonly #folders: AsyncDisposableStack;

  private constructor(
    program: string,
    daemon: Daemon,
    folder: TempFolder,
    settings: OpenClawSettings,
    folders: AsyncDisposableStack,
  ) {
    this.#program = program;
    this.#daemon = daemon;
    this.folder = folder;
    this.#settings = settings;
    this.#folders = folders;
    this.#log = new LogTail(daemon.stdout);
    // Nobody reads it, and a full pipe would stop it.
    daemon.stderr.resume();
  }

  /** Starts the daemon. */
  static async start(
    program: string,
    synthesis: { readonly endpoint: string; readonly apiKey: string },
    agents: Readonly<Record<string, OpenClawAgent>>,
  ): Promise<OpenClaw> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder());
    const names = Object.keys(agents);
    for (const name of ["home/.openclaw", "tmp", ...names])
      await mkdir(folder.join(name), { recursive: true });
    const settings: OpenClawSettings = {
      ...synthesis,
      port: await freePort(),
      token: "a-token-of-this-test",
      agents: Object.fromEntries(
        Object.entries(agents).map(([name, agent]) => [name, { ...agent, workspace: folder.join(name) }]),
      ),
      logFile: folder.join("openclaw.log"),
    };
    await writeFile(configFile(folder), JSON.stringify(openClawConfiguration(settings)));
    const daemon = spawn(process.execPath, [program, "gateway", "run", "--bind", "loopback"], {
      cwd: folder.path,
      env: environment(folder),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const openclaw = new OpenClaw(program, daemon, folder, settings, stack.move());
    await using starting = new AsyncDisposableStack();
    starting.use(openclaw);
    await openclaw.#ready();
    starting.move();
    return openclaw;
  }

  /** Says something as a chat platform does; resolves with the answer's text. Rejects where there is none. */
  async say(text: string, conversation: Conversation): Promise<string> {
    const response = await this.#post(text, conversation, { stream: false });
    const body = (await response.json()) as {
      readonly choices?: readonly { readonly message: { readonly content: string } }[];
    };
    const answer = body.choices?.[0]?.message.content;
    if (answer !== undefined) return answer;
    const log = this.#log.text.slice(-3000);
    throw new Error(`OpenClaw answered ${response.status}: ${JSON.stringify(body)}\n${log}`);
  }

  /** The same, to be read as it comes. */
  async open(text: string, conversation: Conversation): Promise<AnswerStream> {
    const gone = new AbortController();
    const response = await this.#post(text, conversation, { stream: true }, gone.signal);
    return new AnswerStream(response, gone);
  }

  /** `openclaw agent`, through the daemon: what it prints. Unlike `say` it takes chat commands such as `/new`. */
  async sayAtTerminal(text: string, { agent = "main", chat }: Conversation): Promise<string> {
    const args = ["agent", "--agent", agent, "--session-key", sessionKey({ agent, chat }), "--message", text];
    return this.#cli(args);
  }

  /** Has OpenClaw summarise what was said so far, as it does by itself when the context is full. */
  async compact({ agent = "main", chat }: Conversation): Promise<void> {
    const params = JSON.stringify({ key: sessionKey({ agent, chat }) });
    const args = ["gateway", "call", "sessions.compact", "--params", params, "--timeout", String(CLI_MS)];
    expect(await this.#cli(args)).toContain('"compacted": true');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) {
      const closed = once(this.#daemon, "close");
      this.#daemon.kill("SIGTERM");
      const killing = setTimeout(() => this.#daemon.kill("SIGKILL"), STOP_MS);
      await closed;
      clearTimeout(killing);
    }
    await this.#folders.disposeAsync();
  }

  async #cli(args: readonly string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [this.#program, ...args], {
      cwd: this.folder.path,
      env: environment(this.folder),
      timeout: CLI_MS,
    });
    return stdout.trim();
  }

  async #ready(): Promise<void> {
    await eventually(async () => {
      if (this.#daemon.exitCode !== null) throw new Error(`OpenClaw ended: ${this.#log.text}`);
      expect((await this.#fetch("/readyz", {})).status).toBe(200);
    }, READY_MS);
  }

  #post(
    text: string,
    { agent = "main", chat }: Conversation,
    { stream }: { readonly stream: boolean },
    signal: AbortSignal | null = null,
  ): Promise<Response> {
    return this.#fetch("/v1/chat/completions", {
      method: "POST",
      headers: {
        authorization: `Bearer ${this.#settings.token}`,
        "content-type": "application/json",
        "x-openclaw-session-key": sessionKey({ agent, chat }),
      },
      body: JSON.stringify({
        model: `openclaw/${agent}`,
        messages: [{ role: "user", content: text }],
        stream,
      }),
      signal,
    });
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#settings.port}${path}`, init);
  }
}

function sessionKey({ agent = "main", chat }: Conversation): string {
  return `agent:${agent}:${chat}`;
}

function configFile(folder: TempFolder): string {
  return folder.join("home", ".openclaw", "openclaw.json");
}

function environment(folder: TempFolder): Record<string, string> {
  const home = folder.join("home");
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    HOME: home,
    TMPDIR: folder.join("tmp"),
    OPENCLAW_HOME: home,
    OPENCLAW_STATE_DIR: folder.join("home", ".openclaw"),
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    DO_NOT_TRACK: "1",
    SYNTHESIS_MARK: `${testMarkPrefix}openclaw`,
  };
}
