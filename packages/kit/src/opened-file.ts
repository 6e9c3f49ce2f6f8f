import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import * as z from "zod";

/** A file that an agent attached, as its worker tells it. */
export interface OpenedFile {
  /** As people see it: no path. */
  readonly name: string;
  /** In lower case, without parameters. */
  readonly mediaType: string;
  readonly bytes: number;
  /** When it was attached, epoch ms. */
  readonly attachedAt: number;
  readonly content: Readable;
}

const Head = z.object({
  "content-length": z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
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
  return {
    name: head["x-file-name"],
    mediaType: head["content-type"],
    bytes: head["content-length"],
    attachedAt: head["last-modified"],
    content: answer,
  };
}
