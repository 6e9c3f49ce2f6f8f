const MAX_CHARACTERS = 200;

/** What a stranger said, fit to be repeated in a message: printable ASCII only, and not too long. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, MAX_CHARACTERS);
}
