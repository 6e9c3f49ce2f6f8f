import { appendFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The logs of one run, in a folder of their own with a short path. */
export class RunFolder implements AsyncDisposable {
  readonly path: string;
  #fate: "removed" | "kept" = "removed";

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<RunFolder> {
    return new RunFolder(await mkdtemp(join(tmpdir(), "nem-")));
  }

  /** Appends a line of JSON to one of its logs. */
  write(log: "clients" | "faults" | "violations", line: unknown): void {
    appendFileSync(join(this.path, `${log}.jsonl`), `${JSON.stringify(line)}\n`);
  }

  /** It outlives its disposal. */
  keep(): void {
    this.#fate = "kept";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fate === "kept") return;
    await rm(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
