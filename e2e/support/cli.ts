import { spawn, type ChildProcess } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { testMarkPrefix, type TempFolder } from "@synthesis/testkit";
import { onTestFailed } from "vitest";
import { LogTail } from "./log-tail.ts";

/** Modules that are compiled once for all tests, which start dozens of processes. */
export const compileCache = fileURLToPath(new URL("../node_modules/.cache/synthesis", import.meta.url));
const program = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));
let started = 0;

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A process group of its own, as a terminal gives it. */
  readonly detached?: boolean;
}

/**
 * The environment of a user who has nothing but a home folder and Node. Whatever is started in it inherits a
 * mark by which `expectClean` finds it, wherever it was re-parented to.
 */
export function userEnvironment(folder: TempFolder): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    HOME: folder.join("home"),
    TMPDIR: folder.path,
    NODE_COMPILE_CACHE: compileCache,
    SYNTHESIS_MARK: `${testMarkPrefix}${++started}`,
  };
}

/** `synthesis …` as a child process. Its log is shown when the test fails. */
export class Cli implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdout: LogTail;
  readonly stderr: LogTail;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;

  constructor(args: readonly string[], folder: TempFolder, options: CliOptions = {}) {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd ?? folder.path,
      env: { ...userEnvironment(folder), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: options.detached ?? false,
    });
    this.child = child;
    this.stdout = new LogTail(child.stdout);
    this.stderr = new LogTail(child.stderr);
    const { promise, resolve } = Promise.withResolvers<Awaited<Cli["exit"]>>();
    this.exit = promise;
    child.once("close", (code, signal) => resolve({ code, signal }));
    onTestFailed(() => {
      process.stderr.write(`--- synthesis ${args.join(" ")}\n${this.stdout.text}${this.stderr.text}---\n`);
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("it could not be started");
    return this.child.pid;
  }

  /** What it prints as endpoint, without `/v1`, once it serves. */
  async endpoint(): Promise<string> {
    const found = await this.stdout.until("an endpoint", ({ text }) => /endpoint +(\S+)\/v1$/m.exec(text));
    return found[1] ?? "";
  }

  /** Asks it to end and waits till it has. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Awaited<Cli["exit"]>> {
    this.child.kill(signal);
    return this.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
