import { realpath, stat } from "node:fs/promises";
import { basename, extname, isAbsolute, relative, resolve, sep } from "node:path";
import mime from "mime/lite";

/** A file as an attachment names it. */
export interface WorkspaceFile {
  readonly name: string;
  readonly media_type: string;
  /** Absolute, without links. */
  readonly path: string;
}

/** A regular file below `workspace` that is not hidden, links resolved. Rejects with what the agent should know. */
export async function workspaceFile(path: string, workspace: string): Promise<WorkspaceFile> {
  const root = await realpath(workspace);
  const file = await realpath(resolve(root, path)).catch(() => undefined);
  if (file === undefined) throw new Error(`There is no file "${path}".`);
  const below = relative(root, file);
  if (below === "" || below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below)) {
    throw new Error(`"${path}" is not in the workspace ${root}: copy it there first.`);
  }
  if (below.split(sep).some((name) => name.startsWith("."))) {
    throw new Error(`"${path}" is hidden, and hidden files often hold secrets: they are not attached.`);
  }
  if (!(await stat(file)).isFile()) throw new Error(`"${path}" is not a regular file.`);
  const media_type = mime.getType(extname(file)) ?? "application/octet-stream";
  return { name: basename(file), media_type, path: file };
}
