import type { FileEntry } from "@synthesis/kit";

/** A file as far as it can make room for others. */
export interface SparableFile extends FileEntry {
  /** Whose it is: files of one group make room before those of a group that holds less. */
  readonly group: string;
  /** It does not go before this aborts; undefined: it may. */
  readonly neededTill: AbortSignal | undefined;
}

interface Group {
  readonly files: (readonly [id: string, bytes: number])[];
  bytes: number;
}

/**
 * Which files go so that so many bytes are free: of the groups that hold most, their oldest, down to what is left to each
 * of these; so none goes of a group that holds less than its share. `files`: the oldest first. Undefined: all that may
 * go is not enough.
 */
export function filesToGo(
  files: Iterable<readonly [id: string, file: SparableFile]>,
  bytes: number,
): string[] | undefined {
  if (bytes <= 0) return [];
  const groups = groupsOf(files).sort((a, b) => b.bytes - a.bytes);
  const share = shareAfter(groups, bytes);
  if (share === undefined) return undefined;
  const going: string[] = [];
  let missing = bytes;
  for (const group of groups) {
    for (const [id, size] of group.files) {
      if (missing <= 0) return going;
      if (group.bytes <= share) break;
      going.push(id);
      group.bytes -= size;
      missing -= size;
    }
  }
  return going;
}

/** Of what may go now. */
function groupsOf(files: Iterable<readonly [string, SparableFile]>): Group[] {
  const groups = new Map<string, Group>();
  for (const [id, { bytes, group: name, neededTill }] of files) {
    if (neededTill?.aborted === false) continue;
    let group = groups.get(name);
    if (group === undefined) groups.set(name, (group = { files: [], bytes: 0 }));
    group.files.push([id, bytes]);
    group.bytes += bytes;
  }
  return [...groups.values()];
}

/** What may be left to each group that gives; `groups`: the largest first. */
function shareAfter(groups: readonly Group[], bytes: number): number | undefined {
  let sum = 0;
  for (const [index, group] of groups.entries()) {
    sum += group.bytes;
    const share = (sum - bytes) / (index + 1);
    if (share >= (groups[index + 1]?.bytes ?? 0)) return share;
  }
  return undefined;
}
