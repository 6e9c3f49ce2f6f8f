import { expect, test } from "vitest";
import { isHidden, pathBelow } from "../src/path-below.ts";

test.for<[path: string, below: string | undefined]>([
  ["/srv/site/a.txt", "a.txt"],
  ["/srv/site/a/b", "a/b"],
  ["/srv/site/..a", "..a"],
  ["/srv/site/../site/a", "a"],
  ["/srv/site", undefined],
  ["/srv/site/", undefined],
  ["/srv/site/..", undefined],
  ["/srv/site/../other/a", undefined],
  ["/srv/site2/a", undefined],
  ["/srv", undefined],
  ["/etc/passwd", undefined],
])("below /srv/site %s is %s", ([path, below]) => {
  expect(pathBelow("/srv/site", path)).toBe(below);
});

test("hidden is what is named so, and what lies in such a folder", () => {
  expect([".env", ".git/config", "a/.ssh/b", "..a"].map((path) => isHidden(path))).not.toContain(false);
  expect(["a.b", "a/b.c", "a./b"].map((path) => isHidden(path))).not.toContain(true);
});
