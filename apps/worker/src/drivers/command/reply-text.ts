import type { Reply } from "@synthesis/protocol";

/** What the client is told of a reply: its text, and a line for each file, which themselves reach nobody yet. */
export function replyText({ content, attachments = [] }: Reply): string {
  return [content, ...attachments.map(({ name, media_type }) => `\n[file: ${name}, ${media_type}]\n`)].join(
    "",
  );
}
