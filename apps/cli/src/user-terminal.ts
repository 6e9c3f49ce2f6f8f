/** What a program in the other terminal may have switched on in this one. */
const RESTORE = [
  "\x1b[?1049l", // the alternate screen
  "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l", // reports of the mouse
  "\x1b[?1004l\x1b[?2004l", // reports of focus, marked pastes
  "\x1b[<u\x1b[>4m", // reports of keys in other forms
  "\x1b[?25h\x1b[0m", // a hidden cursor, colours
].join("");
const CLEAR = "\x1b[2J\x1b[H";

/** The terminal of the command: its keys are read as they are pressed till {@link release}, what is drawn is put right then. */
export class UserTerminal {
  readonly #stdin = process.stdin;
  readonly #stdout = process.stdout;

  /** Where stdin or stdout is none, it is read and written all the same. */
  take(onKeys: (keys: Buffer) => void): void {
    if (this.#stdin.isTTY) this.#stdin.setRawMode(true);
    this.#stdin.on("data", onKeys);
    if (this.#stdout.isTTY) this.#stdout.write(CLEAR);
  }

  /** In characters; undefined where stdout is no terminal. */
  get size(): { readonly cols: number; readonly rows: number } | undefined {
    const { isTTY, columns, rows } = this.#stdout;
    return isTTY ? { cols: columns, rows } : undefined;
  }

  onResize(listener: () => void): void {
    this.#stdout.on("resize", listener);
  }

  /** False: `onDrained` is called when it can take more. */
  draw(bytes: Buffer, onDrained: () => void): boolean {
    const hasRoom = this.#stdout.write(bytes);
    if (!hasRoom) this.#stdout.once("drain", onDrained);
    return hasRoom;
  }

  release(): void {
    if (this.#stdout.isTTY) this.#stdout.write(`${RESTORE}\r\n`);
    if (this.#stdin.isTTY) this.#stdin.setRawMode(false);
    this.#stdin.removeAllListeners("data");
    this.#stdin.pause();
    this.#stdin.unref();
  }
}
