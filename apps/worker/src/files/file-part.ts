import type { ContentPart } from "@synthesis/protocol";
import mime from "mime";
import { fileName } from "./file-name.ts";
import { mediaTypeOf } from "./media-type.ts";

/** What a client sent that is no text. */
export type FilePart = Exclude<ContentPart, { type: "text" }>;

/** What could end an attribute, be taken for a pattern, or mean something to a shell. */
const SPECIAL = /[^\p{L}\p{M}\p{N} ._+=@,-]/gu;

/** Names for the files of one message, no two the same, with the extension of what they are: programs go by that. */
export function namesOf(parts: readonly FilePart[]): string[] {
  const taken = new Set<string>();
  return parts.map((part) => {
    const own = nameOf(part);
    let name = fileName(own, part.mediaType);
    for (let count = 2; taken.has(name); count++) name = fileName(`${count}-${own}`, part.mediaType);
    taken.add(name);
    return name;
  });
}

function nameOf(part: FilePart): string {
  const given = part.type === "document" ? part.name : undefined;
  const name = (given || part.type).replaceAll(SPECIAL, "_");
  const extension = mime.getExtension(part.mediaType);
  return extension === null || mediaTypeOf(name) === part.mediaType ? name : `${name}.${extension}`;
}
