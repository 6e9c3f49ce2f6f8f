import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readFileEntry, type FileEntry, type Logger } from "@synthesis/kit";
import { FileId } from "@synthesis/protocol";

/**
 * What a folder of files has, by id, the oldest first. An entry that has no content, or another than it should, is as
 * good as empty, and goes when it is its turn; one that is not called as a file is somebody else's, and stays.
 */
export async function readEntries(
  folder: string,
  log: Logger,
): Promise<readonly (readonly [id: string, entry: FileEntry])[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const ids = names.filter((name) => FileId.safeParse(name).success);
  if (ids.length < names.length) log.warn("files.foreign_entries", { entries: names.length - ids.length });
  const entries: (readonly [string, FileEntry])[] = [];
  for (const id of ids) {
    const entry = await readFileEntry(join(folder, id));
    if (entry !== undefined) entries.push([id, entry]);
  }
  return entries.sort(([, a], [, b]) => a.keptAt - b.keptAt);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
