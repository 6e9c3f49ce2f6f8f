import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import * as z from "zod";
import type { ContentRange } from "./content-range.ts";

/** A file that an agent attached, as its worker tells it. */
export interface OpenedFile {
  /** As people see it: no path. */
  readonly name: string;
  /** In lower case, without parameters. */
  readonly mediaType: string;
  /** Of the whole file. */
  readonly bytes: number;
  /** When it was attached, epoch ms. */
  readonly attachedAt: number;
  /** What `content` has of it. */
  readonly range: ContentRange;
  readonly content: Readable;
}

/** The headers that ask for a part of a file (RFC 9110, 14.2 and 13.1.5). */
export interface RangeHeaders {
  readonly range?: string;
  readonly "if-range"?: string;
}

const CONTENT_RANGE = /^bytes (?:(?<first>\d{1,15})-(?<last>\d{1,15})|\*)\/(?<total>\d{1,15})$/;

const Head = z.object({
  "content-length": z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
  "content-range": z.string().regex(CONTENT_RANGE).optional(),
  "content-type": z
    .string()
    .transform((type) => type.replace(/;.*/s, "").trim().toLowerCase())
    .pipe(z.string().regex(/^[\w.+-]+\/[\w.+-]+$/)),
  "x-file-name": z.string().transform(decodeURIComponent).pipe(z.string().min(1)),
  "last-modified": z.string().transform(Date.parse).pipe(z.number()),
});

/** What a worker's answer brings. Throws for one that does not say what it is. */
export function openedFile(answer: IncomingMessage): OpenedFile {
  const head = Head.parse(answer.headers);
  if (answer.statusCode !== 200 && head["content-range"] === undefined)
    throw new Error(`the worker answered ${answer.statusCode} without a content-range`);
  const { first, last, total } = CONTENT_RANGE.exec(head["content-range"] ?? "")?.groups ?? {};
  return {
    name: head["x-file-name"],
    mediaType: head["content-type"],
    bytes: total === undefined ? head["content-length"] : Number(total),
    attachedAt: head["last-modified"],
    range: rangeOf(total, first, last),
    content: answer,
  };
}

function rangeOf(
  total: string | undefined,
  first: string | undefined,
  last: string | undefined,
): ContentRange {
  if (total === undefined) return "whole";
  return first === undefined ? "none" : { first: Number(first), last: Number(last) };
}
