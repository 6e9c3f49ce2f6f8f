import { realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, join } from "node:path";
import type { Settings } from "@synthesis/config";
import { isHidden, pathBelow, printable } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import { workspaceHash } from "./workspace-hash.ts";

/** A workspace that may be opened. */
export interface ResolvedWorkspace {
  /** Unique among the workspaces of this machine; the configured name, or folder name and hash. */
  readonly name: string;
  /** Absolute, without symbolic links. */
  readonly path: string;
}

/**
 * Which folder a request means: the name of a configured workspace, or a folder below one of `roots` by name
 * or absolute path. Everything else is refused: no request can choose another folder of this machine.
 * Rejects with `workspace_not_allowed` or `workspace_not_found`.
 */
export async function resolveWorkspace(
  asked: string,
  { workspaces, roots }: Pick<Settings, "workspaces" | "roots">,
): Promise<ResolvedWorkspace> {
  const configured = Object.hasOwn(workspaces, asked) ? workspaces[asked] : undefined;
  if (configured !== undefined) return { name: asked, path: await realFolder(configured, asked) };
  const named = await configuredAt(asked, workspaces);
  if (named) return named;
  for (const root of await realRoots(roots)) {
    const candidate = isAbsolute(asked) ? asked : join(root, asked);
    if (!isBelow(candidate, root) && !isAbsolute(asked)) continue;
    const path = await realFolder(candidate, asked).catch(() => undefined);
    // After resolving: a link that leads out of the root is out.
    if (path !== undefined && isBelow(path, root)) return { name: await uniqueName(path, workspaces), path };
  }
  throw notAllowed(asked, workspaces, roots);
}

async function configuredAt(
  asked: string,
  workspaces: Settings["workspaces"],
): Promise<ResolvedWorkspace | undefined> {
  if (!isAbsolute(asked)) return undefined;
  const path = await realpath(asked).catch(() => undefined);
  if (path === undefined) return undefined;
  for (const [name, folder] of Object.entries(workspaces)) {
    if ((await realpath(folder).catch(() => undefined)) === path) return { name, path };
  }
  return undefined;
}

async function realRoots(roots: readonly string[]): Promise<string[]> {
  const real = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)));
  return real.filter((root) => root !== undefined);
}

async function realFolder(path: string, asked: string): Promise<string> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch {
    // told apart from a file below: for the client both are no folder
  }
  throw new WireFailure(
    "workspace_not_found",
    `the folder of workspace "${printable(asked)}" does not exist: make it, or correct its path in the configuration`,
  );
}

function isBelow(path: string, root: string): boolean {
  const below = pathBelow(root, path);
  return below !== undefined && !isHidden(below); // a root of projects never means those
}

/** A folder that is also configured keeps the configured name: one folder, one worker. */
async function uniqueName(path: string, workspaces: Settings["workspaces"]): Promise<string> {
  const known = await configuredAt(path, workspaces);
  if (known) return known.name;
  const readable = basename(path)
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, 40);
  return `${readable}~${workspaceHash(path).slice(0, 12)}`;
}

function notAllowed(
  asked: string,
  workspaces: Settings["workspaces"],
  roots: readonly string[],
): WireFailure {
  const names = Object.keys(workspaces).join(", ") || "none";
  const open = roots.length > 0 ? "or name a folder below the configured roots" : "no roots are configured";
  return new WireFailure(
    "workspace_not_allowed",
    `workspace "${printable(asked)}" may not be opened: use one of the configured ones (${names}), ${open}`,
  );
}
