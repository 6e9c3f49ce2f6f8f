import { extname } from "node:path";
import mime from "mime";

/** The images that every client can show, and that cannot act. */
const SHOWN_IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** What a file of this name is taken for. */
export function mediaTypeOf(name: string): string {
  return mime.getType(extname(name)) ?? "application/octet-stream";
}

/** Whether clients show it in the answer. */
export function isShownImage(mediaType: string): boolean {
  return SHOWN_IMAGES.has(mediaType);
}
