import { printable } from "@synthesis/kit";
import type { ContentPart } from "@synthesis/protocol";
import * as z from "zod";
import { documentFromUrl, imageFromUrl } from "../turn-request/content-part.ts";
import { readShape, refuse } from "../turn-request/read-shape.ts";

const AnyPart = z.looseObject({ type: z.string() });
const TextPart = z.looseObject({ text: z.string() });
const RefusalPart = z.looseObject({ refusal: z.string() });
const ImagePart = z.looseObject({ image_url: z.string("must be a data: URL (files are not kept here)") });
const FilePart = z.looseObject({
  file_data: z.string("must be the file itself, as a data: URL (files are not kept here)"),
  filename: z.string().nullish(),
});

/** The content of a message, or of a function's output. Throws `invalid_request` naming the part. */
export function readParts(content: string | readonly unknown[], at: string): ContentPart[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return content.map((part, index) => readPart(part, `${at}.${index}`));
}

/** The content of a message that is text only. Throws `invalid_request` naming the part. */
export function readText(content: string | readonly unknown[], at: string): string {
  if (typeof content === "string") return content;
  return content
    .map((part, index) => {
      const read = readPart(part, `${at}.${index}`);
      return read.type === "text" ? read.text : refuse(`${at}.${index}`, "only text is taken here");
    })
    .join("");
}

function readPart(part: unknown, at: string): ContentPart {
  const { type } = readShape(AnyPart, part, at);
  switch (type) {
    case "input_text":
    case "output_text":
    case "text":
      return { type: "text", text: readShape(TextPart, part, at).text };
    case "refusal":
      return { type: "text", text: readShape(RefusalPart, part, at).refusal };
    case "input_image":
      return imageFromUrl(readShape(ImagePart, part, at).image_url, `${at}.image_url`);
    case "input_file": {
      const { file_data, filename } = readShape(FilePart, part, at);
      return documentFromUrl(file_data, filename ?? undefined, `${at}.file_data`);
    }
    default:
      return refuse(
        `${at}.type`,
        `parts of type "${printable(type)}" are not taken: send input_text, input_image or input_file`,
      );
  }
}
