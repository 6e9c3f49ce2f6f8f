/** Some of the bytes of a file, counted from 0, both ends included. */
interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** What of a file somebody gets: `none`, where it has none of the bytes that were asked for. */
export type ContentRange = "whole" | ByteRange | "none";

/** How HTTP says which part of a file an answer has (RFC 9110, 14.4 and 15). `bytes`: of the whole file. */
export function rangeHead(
  range: ContentRange,
  bytes: number,
): { readonly status: number; readonly headers: Readonly<Record<string, string>> } {
  if (range === "whole") return { status: 200, headers: { "content-length": String(bytes) } };
  if (range === "none")
    return { status: 416, headers: { "content-length": "0", "content-range": `bytes */${bytes}` } };
  const { first, last } = range;
  const contentRange = `bytes ${first}-${last}/${bytes}`;
  return {
    status: 206,
    headers: { "content-length": String(last - first + 1), "content-range": contentRange },
  };
}
