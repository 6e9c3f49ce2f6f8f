import type { IncomingHttpHeaders } from "node:http";
import type { ContentRange } from "@synthesis/kit";

/**
 * Which part of a file a request is for (RFC 9110, 14.2): the whole, where it asks for no range of bytes or for several,
 * or where its `If-Range` is of another file.
 */
export function askedRange(
  { range = "", "if-range": ifRange }: IncomingHttpHeaders,
  { bytes, lastModified }: { readonly bytes: number; readonly lastModified: string },
): ContentRange {
  const { first = "", last = "" } = /^bytes=(?<first>\d*)-(?<last>\d*)$/i.exec(range)?.groups ?? {};
  const isMeant = ifRange === undefined || ifRange === lastModified;
  if (!isMeant || bytes === 0 || first + last === "") return "whole";
  if (first === "") return rangeOf(Math.max(0, bytes - Number(last)), bytes - 1, bytes);
  if (last !== "" && Number(last) < Number(first)) return "whole";
  return rangeOf(Number(first), last === "" ? Infinity : Number(last), bytes);
}

function rangeOf(first: number, last: number, bytes: number): ContentRange {
  return first < bytes ? { first, last: Math.min(last, bytes - 1) } : "none";
}
