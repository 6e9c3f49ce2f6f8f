import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What one kept file costs, and since when it is kept (epoch ms). */
export interface FileEntry {
  readonly bytes: number;
  readonly keptAt: number;
}

/** What stands where a file is kept. */
export interface FoundEntry extends FileEntry {
  /** Else it is no kept file, and not ours. */
  readonly isFolder: boolean;
}

/**
 * Reads what the folder of a kept file says of it: the age is that of its content, or its own where it has none. Undefined:
 * it has gone. Rejects with what else the file system throws.
 */
export async function readFileEntry(folder: string): Promise<FoundEntry | undefined> {
  try {
    const own = await lstat(folder);
    const isFolder = own.isDirectory();
    const [name] = isFolder ? await readdir(folder) : [];
    const file = name === undefined ? own : await lstat(join(folder, name));
    return { bytes: file.isFile() ? file.size : 0, keptAt: file.mtimeMs, isFolder };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
