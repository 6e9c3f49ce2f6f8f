import { extname } from "node:path";
import mime from "mime";

/** The longest name that file systems take, in bytes. */
const MAX_BYTES = 255;
const MAX_EXTENSION_BYTES = 32;
/** What would make a path, break a line, or show the name in another order than it is written. */
const UNFIT = /[/\\\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The name under which a file is kept and shown: the given one, as far as it is fit for that, and with an extension,
 * which says the media type from then on.
 */
export function fileName(given: string, mediaType: string): string {
  const plain = given.toWellFormed().replaceAll(UNFIT, "_").trim();
  const name = /^\.*$/.test(plain) ? "file" : plain;
  const own = Buffer.byteLength(extname(name)) > MAX_EXTENSION_BYTES ? "" : extname(name);
  const stem = name.slice(0, name.length - own.length);
  const extension = own === "" ? extensionOf(mediaType) : own;
  return cut(stem, MAX_BYTES - Buffer.byteLength(extension)) + extension;
}

function extensionOf(mediaType: string): string {
  const extension = mime.getExtension(mediaType);
  return extension === null || extension === "bin" ? "" : `.${extension}`;
}

function cut(text: string, maxBytes: number): string {
  let [kept, bytes] = ["", 0];
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}
