import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TempFolder } from "@synthesis/testkit";

const cli = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));

/** `synthesis up` as a process of its own, with its state in a folder that is thrown away. */
export class RunningSynthesis implements AsyncDisposable {
  /** Without `/v1`. */
  readonly endpoint: string;
  readonly key: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, endpoint: string, key: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.endpoint = endpoint;
    this.key = key;
  }

  static async start(folder: TempFolder, configuration: object): Promise<RunningSynthesis> {
    const config = folder.join("config.yaml");
    await writeFile(config, JSON.stringify(configuration)); // JSON is YAML
    const args = [
      cli,
      "up",
      "--port=0",
      `--config=${config}`,
      `--state-dir=${folder.join("state")}`,
      "--log-level=error",
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let endpoint = "";
    await lineOf(child, (line) => {
      endpoint = /endpoint +(http:\S+)\/v1/.exec(line)?.[1] ?? endpoint;
      return line.startsWith("Next:");
    });
    const key = await readFile(folder.join("state", "api-key"), "utf8");
    return new RunningSynthesis(child, endpoint, key.trim());
  }

  async chat(body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.endpoint}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.key}`, "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exit;
  }
}

/** When a process prints the line that is wanted. */
export async function lineOf(child: ChildProcess, wanted: (line: string) => boolean): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  if (child.stdout)
    createInterface({ input: child.stdout }).on("line", (line) => wanted(line) && resolve(performance.now()));
  child.once("exit", () => reject(new Error("the process ended without the line that was waited for")));
  return promise;
}
