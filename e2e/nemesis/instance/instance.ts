import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { openSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sleep, withDeadline } from "@synthesis/kit";
import { Ledger, LEDGER_FILE } from "../ledger/ledger.ts";
import type { Workspace } from "./configuration.ts";
import { environmentOf, makeInstanceFiles, placesOf, type InstanceOptions } from "./instance-files.ts";

const program = fileURLToPath(new URL("../../../apps/cli/src/main.ts", import.meta.url));
const START_MS = 30_000;
const STOP_MS = 60_000;
const COMMAND_MS = 60_000;
const POLL_MS = 20;

/** What `/health` says of work. */
export interface Health {
  readonly turns: number;
  readonly waiting: number;
  readonly processes: number;
}

/** One `synthesis up` with folders of its own. Its log goes to `synthesis.log` in the run's folder. */
export class Instance {
  readonly folder: string;
  readonly workspaces: readonly Workspace[];
  readonly ledger: Ledger;
  readonly key: string;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(options: InstanceOptions, child: ChildProcess, port: number, key: string) {
    this.folder = options.folder;
    this.workspaces = options.workspaces;
    this.ledger = new Ledger(join(options.folder, LEDGER_FILE));
    this.#child = child;
    this.port = port;
    this.key = key;
  }

  /** Resolves when it serves. */
  static async start(options: InstanceOptions): Promise<Instance> {
    const { folder } = options;
    await makeInstanceFiles(options);
    const log = openSync(join(folder, "synthesis.log"), "a");
    const child = spawn(process.execPath, [program, "up", "--port", "0", ...placesOf(folder)], {
      cwd: folder,
      env: environmentOf(folder),
      stdio: ["ignore", "pipe", log],
    });
    try {
      const port = await withDeadline(announcedPort(child), START_MS, "Synthesis did not start");
      const key = (await readFile(join(folder, "state", "api-key"), "utf8")).trim();
      return new Instance(options, child, port, key);
    } catch (error) {
      child.kill("SIGKILL");
      throw new Error(`Synthesis did not start: see ${join(folder, "synthesis.log")}`, { cause: error });
    }
  }

  /** Of `synthesis up`. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("it could not be started");
    return this.#child.pid;
  }

  /** Its key, its journals. */
  get stateDir(): string {
    return join(this.folder, "state");
  }

  /** What the environment mark of each of its processes below the supervisor starts with. */
  get markPrefix(): string {
    const instance = createHash("sha256").update(realpathSync(this.stateDir)).digest("hex").slice(0, 16);
    return `${instance}/`;
  }

  /** `synthesis <args>` for this instance; resolves with its exit code, null where it took too long. */
  async command(...args: readonly string[]): Promise<number | null> {
    const child = spawn(process.execPath, [program, ...args, ...placesOf(this.folder)], {
      cwd: this.folder,
      env: environmentOf(this.folder),
      stdio: "ignore",
      timeout: COMMAND_MS,
    });
    const [code] = await once(child, "exit");
    return code;
  }

  /** Undefined while the gateway, or the supervisor that it asks, is away. */
  async health(): Promise<Health | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/health`, {
        headers: { authorization: `Bearer ${this.key}`, connection: "close" },
        signal: AbortSignal.timeout(5_000),
      });
      return response.ok ? ((await response.json()) as Health) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Waits till nothing runs or waits. False: `deadlineMs` passed before. */
  async isIdleWithin(deadlineMs: number): Promise<boolean> {
    for (const deadline = Date.now() + deadlineMs; Date.now() < deadline; await sleep(POLL_MS)) {
      const health = await this.health();
      if (health?.turns === 0 && health.waiting === 0) return true;
    }
    return false;
  }

  /** Ends it as Ctrl-C does; resolves with its exit code, null where it had to be killed. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    try {
      await withDeadline(exited, STOP_MS, "Synthesis did not stop");
    } catch {
      this.#child.kill("SIGKILL");
    }
    return this.#child.exitCode;
  }
}

/** Reads on after the port is found: who prints into a closed pipe dies of it. */
async function announcedPort(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    const port = /endpoint +\S+:(\d+)\/v1$/m.exec(text)?.[1];
    if (port !== undefined) resolve(Number(port));
  });
  child.once("close", () => reject(new Error(`it ended, having said: ${text}`)));
  return promise;
}
