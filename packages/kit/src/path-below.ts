import { isAbsolute, relative, sep } from "node:path";

/** The way from a folder to what lies below it; undefined where it does not. Both absolute, without links. */
export function pathBelow(folder: string, path: string): string | undefined {
  const below = relative(folder, path);
  const isOutside = below === "" || below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below);
  return isOutside ? undefined : below;
}

/** Whether a name in a relative path begins with a dot: such files and folders hold keys and settings (`.ssh`, `.git`). */
export function isHidden(path: string): boolean {
  return path.split(sep).some((name) => name.startsWith("."));
}
