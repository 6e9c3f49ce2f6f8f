import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

export interface CliRun {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the real CLI, with `env` and nothing else of Synthesis's in its environment. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const { PATH, TMPDIR, NODE_COMPILE_CACHE = join(tmpdir(), "synthesis-test-compile-cache") } = process.env;
  return spawn(process.execPath, [main, ...args], {
    env: {
      PATH,
      HOME: "/nonexistent",
      NODE_COMPILE_CACHE,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Runs the real CLI to its end. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  const child = startCli(args, env);
  const closed = once(child, "close");
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  const [code] = (await closed) as [number | null];
  return { code, out, err };
}
