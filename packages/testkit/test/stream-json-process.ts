import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { withDeadline } from "@synthesis/kit";

/** A line of stdout, as far as these tests look into it. */
export interface Line {
  readonly type?: string;
  readonly event?: { readonly type: string; readonly delta?: { readonly text?: string } };
  readonly response?: { readonly request_id?: string };
  readonly [field: string]: unknown;
}

/** A `claude`, fake or real, driven over stdio. */
export class StreamJsonProcess implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly raw: string[] = [];
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
  stderr = "";
  /** Is told each line as it comes. */
  onLine: (line: Line) => void = () => {};
  #changed = Promise.withResolvers<void>();

  constructor(command: string, args: readonly string[], env: Record<string, string>, cwd: string) {
    const base = [
      "-p",
      "--input-format",
      "stream-json",
      "--output-format",
      "stream-json",
      "--verbose",
      "--include-partial-messages",
    ];
    this.child = spawn(command, [...base, ...args], { env, cwd, stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdin.on("error", () => {});
    this.child.stderr.on("data", (data: Buffer) => (this.stderr += data.toString()));
    this.exit = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
    createInterface({ input: this.child.stdout }).on("line", (line) => this.#read(line));
  }

  send(line: object): void {
    this.child.stdin.write(`${JSON.stringify(line)}\n`);
  }

  prompt(text: string, more: object = {}): string {
    const uuid = crypto.randomUUID();
    this.send({
      type: "user",
      uuid,
      client_composed: true,
      message: { role: "user", content: text },
      ...more,
    });
    return uuid;
  }

  /** The first line, now or later, that `test` accepts. */
  async line(test: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(test);
      if (found !== undefined) return found;
      const ended = this.exit.then(({ code }) =>
        Promise.reject(new Error(`exited with ${code}: ${this.stderr}`)),
      );
      await withDeadline(Promise.race([this.#changed.promise, ended]), 15_000, "the line arrives");
    }
  }

  async result(uuid: string): Promise<Line> {
    return this.line((line) => line.type === "result" && line["user_message_uuid"] === uuid);
  }

  /** Prompts and awaits the result's text. */
  async ask(text: string): Promise<unknown> {
    return (await this.result(this.prompt(text)))["result"];
  }

  /** The texts of all deltas so far. */
  get deltas(): string[] {
    return this.lines.flatMap(({ event }) => event?.delta?.text ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.exit;
  }

  #read(line: string): void {
    this.raw.push(line);
    try {
      const parsed: Line = JSON.parse(line);
      this.lines.push(parsed);
      this.onLine(parsed);
    } catch {
      // kept in `raw`
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
