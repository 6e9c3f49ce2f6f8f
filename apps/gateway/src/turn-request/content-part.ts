import { printable } from "@synthesis/kit";
import { quoted, type ContentPart } from "@synthesis/protocol";
import { refuse } from "./read-shape.ts";

const imageTypes: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const DATA_URL = /^data:([^;,]{0,100})(?:;[^;,]{1,100})*;base64,/i;

/** An image from a data: URL; `at` is its path in the body. Throws `invalid_request`. */
export function imageFromUrl(url: string, at: string): ContentPart {
  const { mediaType, data } = fromDataUrl(url, at);
  return imagePart(mediaType, data, at);
}

/** A document from a data: URL; `at` is its path in the body. Throws `invalid_request`. */
export function documentFromUrl(url: string, name: string | undefined, at: string): ContentPart {
  const { mediaType, data } = fromDataUrl(url, at);
  return documentPart(mediaType, data, name, at);
}

/** An image of base64; `at` is its path in the body. Throws `invalid_request` for a type that Claude does not see. */
export function imagePart(mediaType: string, data: string, at: string): ContentPart {
  if (!imageTypes.has(mediaType))
    refuse(
      at,
      `images of type "${printable(mediaType)}" are not taken: send one of ${[...imageTypes].join(", ")}`,
    );
  checkBase64(data, at);
  return { type: "image", mediaType, data };
}

/**
 * A document of base64, as the agent is told it: a PDF as it is, text as text. `at` is its path in the body. Throws
 * `invalid_request` for another type.
 */
export function documentPart(
  mediaType: string,
  data: string,
  name: string | undefined,
  at: string,
): ContentPart {
  const isText = mediaType.startsWith("text/") || mediaType === "application/json";
  if (!isText && mediaType !== "application/pdf")
    refuse(at, `files of type "${printable(mediaType)}" are not taken: send a PDF, or text`);
  checkBase64(data, at);
  if (!isText)
    return { type: "document", mediaType, data, ...(name === undefined ? {} : { name: printable(name) }) };
  return textDocument(decodeText(data, at), name);
}

/** A document of plain text. */
export function textDocument(text: string, name: string | undefined): ContentPart {
  const title: Record<string, string> = name === undefined ? {} : { name: printable(name) };
  return { type: "text", text: quoted("document", title, text) };
}

function fromDataUrl(url: string, at: string): { readonly mediaType: string; readonly data: string } {
  const [head, mediaType = ""] = DATA_URL.exec(url.slice(0, 512)) ?? [];
  if (head === undefined)
    refuse(
      at,
      "only data: URLs with base64 are taken, nothing is fetched for a client: send the file itself",
    );
  return { mediaType: mediaType.toLowerCase(), data: url.slice(head.length) };
}

function decodeText(data: string, at: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(data, "base64"));
  } catch {
    return refuse(at, "this text is not UTF-8");
  }
}

/** Claude's API takes standard base64 only. */
function checkBase64(data: string, at: string): void {
  // What Node skips in decoding is missing in the length: faster than a pattern over megabytes.
  const padding = data.endsWith("==") ? 2 : data.endsWith("=") ? 1 : 0;
  const isWhole = data.length > 0 && data.length % 4 === 0 && !/[-_]/.test(data);
  if (!isWhole || Buffer.from(data, "base64").length !== (data.length / 4) * 3 - padding)
    refuse(at, "this is not base64");
}
