import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own, removed with all its content on disposal. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of something in it. */
  join(...names: readonly string[]): string;
}

/** Makes a temporary folder. Its path is short, since that of a unix socket must not exceed 107 bytes. */
export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), "s-"));
  return {
    path,
    join: (...names) => join(path, ...names),
    // A process that is just ending may still write into it.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}
