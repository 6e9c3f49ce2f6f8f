import { constants } from "node:fs";
import { lstat, open, readdir, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { fileNotFound } from "@synthesis/kit";
import { mediaTypeOf } from "./media-type.ts";

/** A kept file, opened to be read: whoever has it closes the handle. */
export interface KeptFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** Epoch ms. */
  readonly keptAt: number;
  readonly handle: FileHandle;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Opens the file in a folder. An entry that is not one file in a folder is damaged: links and pipes among them are not
 * followed. Rejects with `file_not_found`, and with what the file system throws.
 */
export async function openKept(folder: string): Promise<KeptFile> {
  const names = (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  const [name] = names;
  if (name === undefined || names.length > 1) throw fileNotFound();
  const handle = await open(join(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw fileNotFound();
    return { name, mediaType: mediaTypeOf(name), bytes: found.size, keptAt: found.mtimeMs, handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
