import type { ContentRange } from "@synthesis/kit";
import { expect, test } from "vitest";
import { askedRange } from "../../src/gateway/asked-range.ts";

const lastModified = "Sun, 22 Nov 2026 12:00:00 GMT";

test.for<[range: string | undefined, is: ContentRange]>([
  [undefined, "whole"],
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=0-", { first: 0, last: 99 }],
  ["bytes=0-99", { first: 0, last: 99 }],
  ["bytes=10-19", { first: 10, last: 19 }],
  ["bytes=99-", { first: 99, last: 99 }],
  ["BYTES=50-1000", { first: 50, last: 99 }],
  [`bytes=50-${"9".repeat(400)}`, { first: 50, last: 99 }],
  ["bytes=-1", { first: 99, last: 99 }],
  ["bytes=-100", { first: 0, last: 99 }],
  ["bytes=-1000", { first: 0, last: 99 }],
  ["bytes=100-", "none"],
  ["bytes=100-200", "none"],
  [`bytes=${"9".repeat(400)}-`, "none"],
  ["bytes=-0", "none"],
  // No range, or more than one: as if nothing was asked for.
  ["bytes=20-10", "whole"],
  ["bytes=0-0,99-99", "whole"],
  ["bytes=-", "whole"],
  ["bytes=", "whole"],
  ["bytes", "whole"],
  ["bytes=a-b", "whole"],
  ["bytes=0x1-", "whole"],
  ["bytes=1.5-", "whole"],
  ["bytes=--1", "whole"],
  ["lines=0-10", "whole"],
  ["", "whole"],
])("of 100 bytes %s is %o", ([range, is]) => {
  expect(askedRange({ range }, { bytes: 100, lastModified })).toEqual(is);
});

test("with If-Range a part is only of the file that its client knows", () => {
  const partIf = (ifRange: string) =>
    askedRange({ range: "bytes=0-9", "if-range": ifRange }, { bytes: 100, lastModified });
  expect(partIf(lastModified)).toEqual({ first: 0, last: 9 });
  for (const ifRange of ["Sun, 22 Nov 2026 12:00:01 GMT", '"an-etag"', 'W/"an-etag"', ""])
    expect(partIf(ifRange)).toBe("whole");
});

test("an empty file has no parts, and is had as a whole", () => {
  for (const range of ["bytes=0-", "bytes=-1", "bytes=0-0"])
    expect(askedRange({ range }, { bytes: 0, lastModified })).toBe("whole");
});
