import { expect, test } from "vitest";
import { filesToGo, type SparableFile } from "../../src/files/files-to-go.ts";

const file = (group: string, bytes: number, neededTill?: AbortSignal): SparableFile => ({
  group,
  bytes,
  keptAt: 0,
  neededTill,
});
/** `a` and a number for each: a byte of this group. */
const bytesOf = (...groups: readonly string[]) => {
  const counts = new Map<string, number>();
  return groups.map((group) => {
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    return [`${group}${count}`, file(group, 1)] as const;
  });
};

test.for<[bytes: number, going: string[] | undefined]>([
  [-1, []],
  [0, []],
  [1, ["c1"]],
  [2, ["c1", "c2"]],
  [3, ["c1", "c2", "b1"]],
  [5, ["c1", "c2", "c3", "b1", "b2"]],
  [6, ["c1", "c2", "c3", "c4", "b1", "b2"]],
  [8, ["c1", "c2", "c3", "c4", "b1", "b2", "b3", "a1"]],
  [9, undefined],
])("for %i bytes those go that hold most, down to the same share: %j", ([bytes, going]) => {
  expect(filesToGo(bytesOf("a", "b", "b", "b", "c", "c", "c", "c"), bytes)).toEqual(going);
});

test("of those that hold the same, the oldest goes", () => {
  expect(filesToGo(bytesOf("b", "a", "a", "b"), 1)).toEqual(["b1"]);
});

test("what is needed does not count, and stays", () => {
  const turn = new AbortController();
  const files = [["needed", file("a", 9, turn.signal)], ...bytesOf("b", "c", "c")] as const;
  expect(filesToGo(files, 1)).toEqual(["c1"]);
  expect(filesToGo(files, 4)).toBeUndefined();
  turn.abort();
  expect(filesToGo(files, 4)).toEqual(["needed"]);
});

test("there may be many small ones, of as many groups", () => {
  const files = Array.from({ length: 131_072 }, (_, index) => [`${index}`, file(`${index}`, 1)] as const);
  expect(filesToGo(files, 64)).toEqual(files.slice(0, 64).map(([id]) => id));
  expect(filesToGo(files, files.length)).toHaveLength(files.length);
  expect(filesToGo(files, files.length + 1)).toBeUndefined();
});
