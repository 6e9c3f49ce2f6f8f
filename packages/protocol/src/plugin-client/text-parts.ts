/** Written as JSON at most six times as long: always below the worker's default bound of 4 MiB for a frame. */
export const PART_BYTES = 256 * 1024;
/** What a frame has beside its text. */
const FRAME_HEAD_BYTES = 320;

/** The longest text that fits into a frame of at most `frameBytes`, whatever its characters are. */
export function partBytesFor(frameBytes: number): number {
  return Math.min(PART_BYTES, Math.max(64, Math.floor((frameBytes - FRAME_HEAD_BYTES) / 6)));
}

/** Cuts a text into parts of at most `maxBytes` of UTF-8, and never within a surrogate pair. An empty text is one part. */
export function textParts(text: string, maxBytes = PART_BYTES): string[] {
  if (text.length * 3 <= maxBytes) return [text];
  const encoder = new TextEncoder();
  const room = new Uint8Array(maxBytes);
  const parts: string[] = [];
  for (let start = 0; start < text.length;) {
    // A character that does not fit whole is not read.
    const { read } = encoder.encodeInto(text.slice(start, start + maxBytes), room);
    parts.push(text.slice(start, start + read));
    start += read;
  }
  return parts;
}
