import { createHash } from "node:crypto";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import {
  descendants,
  eventually,
  fixtures,
  leftoversSince,
  liveProcess,
  tempFolder,
  type LiveProcess,
  type TempFolder,
} from "@synthesis/testkit";
import { expect } from "vitest";
import { Cli, compileCache } from "./cli.ts";
import type { LogTail } from "./log-tail.ts";

type Json = Readonly<Record<string, unknown>>;

/** What a test changes of the usual configuration: workspaces `alpha` and `beta`, agents of each driver. */
export interface SynthesisOptions {
  /** `claude` of the configuration. */
  readonly claude?: Json;
  readonly limits?: Json;
  /** Agents beside `claude`, `claude-beta`, `echo`, `seed` and `seed-beta`. */
  readonly agents?: Json;
  /** Any other top-level settings. */
  readonly config?: Json;
  readonly env?: Readonly<Record<string, string>>;
  readonly detached?: boolean;
}

/** What `/health` says with a key. */
export interface Health {
  readonly ok: boolean;
  readonly processes: number;
  readonly conns: number;
  readonly turns: number;
  readonly waiting: number;
  readonly sessions: number;
  readonly unsolicited: number;
  readonly workers: readonly {
    readonly workspace: string;
    readonly pid: number;
    readonly restarts: number;
  }[];
}

/** A running instance with folders of its own; disposal stops it and fails where anything of it is left. */
export class Synthesis implements AsyncDisposable {
  readonly endpoint: string;
  readonly key: string;
  readonly folder: TempFolder;
  readonly cli: Cli;
  readonly #folders = new AsyncDisposableStack();
  #stopped: Promise<void> | undefined;

  private constructor(folder: TempFolder, cli: Cli, endpoint: string, key: string) {
    this.folder = this.#folders.use(folder);
    this.cli = cli;
    this.endpoint = endpoint;
    this.key = key;
  }

  static async start(options: SynthesisOptions = {}): Promise<Synthesis> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder());
    for (const name of ["home", "alpha", "beta"]) await mkdir(folder.join(name));
    // The children's compiled modules too; a first start is what start.test.ts looks at.
    await Promise.all([
      mkdir(folder.join("state"), { mode: 0o700 }),
      mkdir(compileCache, { recursive: true }),
    ]);
    await symlink(compileCache, folder.join("state", "cache"));
    const configFile = folder.join("synthesis.config.yaml");
    // JSON is YAML.
    await writeFile(configFile, JSON.stringify(configuration(folder, options)));
    const { env = {}, detached = false } = options;
    const args = ["up", "--port", "0", "--config", configFile, "--state-dir", folder.join("state")];
    const cli = new Cli(args, folder, { env, detached });
    stack.use(cli);
    const endpoint = await cli.endpoint();
    const key = env["SYNTHESIS_API_KEY"] ?? (await readFile(folder.join("state", "api-key"), "utf8")).trim();
    stack.move();
    return new Synthesis(folder, cli, endpoint, key);
  }

  get log(): LogTail {
    return this.cli.stderr;
  }

  /** Every live process below `synthesis up`. */
  get processes(): readonly LiveProcess[] {
    return descendants(this.cli.pid);
  }

  /** The process with this title, such as `synthesis-worker alpha`. */
  process(title: string): LiveProcess {
    const found = this.processes.find(({ command }) => command === title);
    if (found === undefined) throw new Error(`no process is called ${title}`);
    return found;
  }

  /** The agent processes of a workspace. */
  agents(workspace: string): readonly LiveProcess[] {
    const worker = this.process(`synthesis-worker ${workspace}`);
    return this.processes.filter(({ parent }) => parent === worker.pid);
  }

  async health(): Promise<Health> {
    const response = await fetch(`${this.endpoint}/health`, {
      headers: { authorization: `Bearer ${this.key}` },
    });
    expect(response.status).toBe(200);
    return (await response.json()) as Health;
  }

  /** Waits till `/health` says so. */
  async healthy(expected: Partial<Health>): Promise<void> {
    await eventually(async () => expect(await this.health()).toMatchObject(expected));
  }

  /** Waits till the agent of a turn, by its id, has the prompt: whoever is connected need not have said hello. */
  async started(turn: string | null): Promise<void> {
    const headers = { authorization: `Bearer ${this.key}` };
    await eventually(async () => {
      const response = await fetch(`${this.endpoint}/v1/synthesis/turns/${turn}`, { headers });
      expect(await response.json()).toMatchObject({ state: "started" });
    });
  }

  /** Kills a process as a crash would, and waits till it is gone. */
  async crash(pid: number): Promise<void> {
    process.kill(pid, "SIGKILL");
    await eventually(() => expect(liveProcess(pid)).toBeUndefined());
  }

  /** Disposes of something else when it has been stopped. */
  alsoRemove(what: AsyncDisposable): void {
    this.#folders.use(what);
  }

  /** Ends it by a signal; it must exit with 0 and leave nothing. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#stopped ??= this.#stop(signal);
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.#folders.disposeAsync();
    }
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    const tree = this.processes.map(({ pid }) => pid);
    const end = await this.cli.stop(signal);
    expect(end).toEqual({ code: 0, signal: null });
    expect(tree.flatMap((pid) => liveProcess(pid) ?? [])).toEqual([]);
    this.expectNoAgents();
  }

  /** No agent process of this instance lives, not even a re-parented one. */
  expectNoAgents(): void {
    const pids = new Set(descendants().map(({ pid }) => pid));
    const instance = createHash("sha256").update(this.folder.join("state")).digest("hex").slice(0, 16);
    expect(leftoversSince({ pids, handles: new Map() }, [`${instance}/`]).processes).toEqual([]);
  }
}

function configuration(folder: TempFolder, { claude, limits, agents, config }: SynthesisOptions): Json {
  const command = (workspace: string, ...args: readonly string[]) => ({
    workspace,
    driver: "command",
    command: ["{node}", ...args],
  });
  return {
    workspaces: { alpha: { path: folder.join("alpha") }, beta: { path: folder.join("beta") } },
    agents: {
      claude: { workspace: "alpha" },
      "claude-beta": { workspace: "beta" },
      echo: command("alpha", "{synthesis}/packages/echo-agent/src/main.ts"),
      seed: command("alpha", fixtures.seedPlugin),
      "seed-beta": command("beta", fixtures.seedPlugin),
      ...agents,
    },
    claude: claude ?? { bin: folder.join("no-claude-is-needed") },
    ...(limits === undefined ? {} : { limits }),
    ...config,
  };
}
