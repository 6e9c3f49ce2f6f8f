/** A line grew beyond the bound it was given. */
export class LineTooLongError extends Error {
  override readonly name = "LineTooLongError";
}

/**
 * Cuts a byte stream into lines. Bytes are joined before they are decoded, so a character that falls between
 * two chunks stays whole; an unfinished last line is dropped (a killed process leaves half of one).
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** Throws {@link LineTooLongError} when an unfinished line exceeds the bound. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#onLine(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#pending.push(chunk.subarray(start));
    this.#pendingBytes += chunk.length - start;
    if (this.#pendingBytes > this.#maxBytes)
      throw new LineTooLongError(`a line of more than ${this.#maxBytes} bytes`);
  }

  #take(rest: Buffer): string {
    if (this.#pending.length === 0) return rest.toString("utf8");
    const line = Buffer.concat([...this.#pending, rest]).toString("utf8");
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }
}
