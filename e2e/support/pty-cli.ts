import { fileURLToPath } from "node:url";
import { spawn, type IPty } from "@lydell/node-pty";
import { eventually } from "@synthesis/testkit";
import headless from "@xterm/headless";
import { expect, onTestFailed } from "vitest";
import { userEnvironment } from "./cli.ts";
import type { Synthesis } from "./synthesis.ts";

const SIZE = { cols: 100, rows: 30 };
const program = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));

/** `synthesis …` in a terminal, beside a running instance. */
export class PtyCli implements AsyncDisposable {
  readonly exit: Promise<number>;
  readonly #pty: IPty;
  readonly #terminal = new headless.Terminal({ ...SIZE, allowProposedApi: true });

  constructor(synthesis: Synthesis, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { folder } = synthesis;
    const locations = ["--config", folder.join("synthesis.config.yaml"), "--state-dir", folder.join("state")];
    const [command = "", ...rest] = args;
    this.#pty = spawn(process.execPath, [program, command, ...locations, ...rest], {
      ...SIZE,
      cwd: folder.path,
      env: { ...userEnvironment(folder), TERM: "xterm-256color", ...env },
    });
    this.#pty.onData((text) => this.#terminal.write(text));
    const { promise, resolve } = Promise.withResolvers<number>();
    // What came last is drawn before anybody reads it.
    this.#pty.onExit(({ exitCode }) => this.#terminal.write("", () => resolve(exitCode)));
    this.exit = promise;
    onTestFailed(() => void process.stderr.write(`--- ${args.join(" ")}\n${this.text}\n---\n`));
  }

  /** What its screen shows, and what has left it. */
  get text(): string {
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, row) => {
      const line = active.getLine(row);
      return `${line?.isWrapped === true ? "" : "\n"}${line?.translateToString(true) ?? ""}`;
    });
    return lines.join("").trim();
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  async shows(text: string): Promise<void> {
    await eventually(() => expect(this.text).toContain(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pty.kill("SIGKILL");
    await this.exit;
    this.#terminal.dispose();
  }
}
