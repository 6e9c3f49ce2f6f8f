import { isShownImage } from "./media-type.ts";

/** What would not be taken literally in the text of a Markdown link; an underscore within a word is. */
const MARKS = /[\\`*[\]<>&~|]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;

export interface ShownFile {
  readonly name: string;
  readonly mediaType: string;
}

/** A file as a Markdown link to where it is, which shows it where it is an image. */
export function linkTo({ name, mediaType }: ShownFile, url: string): string {
  const link = `[${name.replaceAll(MARKS, String.raw`\$&`)}](${url})`;
  return isShownImage(mediaType) ? `!${link}` : link;
}

/** A file that its client cannot get. */
export function named({ name, mediaType }: ShownFile): string {
  return `[file: ${name}, ${mediaType}]`;
}
