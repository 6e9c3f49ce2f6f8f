import { printable } from "@synthesis/kit";
import type { ContentPart } from "@synthesis/protocol";
import { documentFromUrl, imageFromUrl } from "../turn-request/content-part.ts";
import {
  readContent,
  readObject,
  readOptional,
  readString,
  readText,
  type Fields,
} from "../turn-request/read-fields.ts";
import { refuse } from "../turn-request/read-shape.ts";

/** The content of a message, or of a function's output. Throws `invalid_request` naming the part. */
export function readParts(value: unknown, at: string): ContentPart[] {
  const content = readContent(value, at);
  if (typeof content === "string") return [{ type: "text", text: content }];
  return content.map((part, index) => readPart(readObject(part, `${at}.${index}`), `${at}.${index}`));
}

/** The content of a message that is text only. Throws `invalid_request` naming the part. */
export function readTextParts(value: unknown, at: string, between: "\n" | ""): string {
  return readText(readContent(value, at), at, textOf, between);
}

function textOf(part: Fields, at: string): string {
  const read = readPart(part, at);
  return read.type === "text" ? read.text : refuse(at, "only text is taken here");
}

function readPart(part: Fields, at: string): ContentPart {
  switch (part["type"]) {
    case "input_text":
    case "output_text":
    case "text":
      return { type: "text", text: readString(part["text"], `${at}.text`) };
    case "refusal":
      return { type: "text", text: readString(part["refusal"], `${at}.refusal`) };
    case "input_image":
      return imageFromUrl(readString(part["image_url"], `${at}.image_url`, NO_IMAGE), `${at}.image_url`);
    case "input_file": {
      const data = readString(part["file_data"], `${at}.file_data`, NO_FILE);
      return documentFromUrl(data, readOptional(part["filename"], `${at}.filename`), `${at}.file_data`);
    }
    default:
      return refuse(
        `${at}.type`,
        `parts of type "${printable(String(part["type"]))}" are not taken: send input_text, input_image or input_file`,
      );
  }
}

const NO_IMAGE = "must be a data: URL (files are not kept here)";
const NO_FILE = "must be the file itself, as a data: URL (files are not kept here)";
