import { createRequire } from "node:module";
import type * as Serialize from "@xterm/addon-serialize";
import type * as Headless from "@xterm/headless";

/** Loaded with the first screen: the other workers do not pay for it (20 ms, measured). */
const require = createRequire(import.meta.url);

/** In characters. */
export interface ScreenSize {
  readonly cols: number;
  readonly rows: number;
}

/** Lines that have left the screen and are kept. */
const SCROLLBACK = 1_000;

/**
 * What a terminal shows. Kept as a terminal emulator keeps it, not as the bytes that drew it: who looks later sees it
 * whole, and it can be read as text.
 */
export class Screen {
  readonly #terminal: Headless.Terminal;
  readonly #serializer: Serialize.SerializeAddon;

  /** `reply` is given what a terminal answers by itself: where its cursor is, what it can do. */
  constructor(size: ScreenSize, reply: (text: string) => void) {
    const headless = require("@xterm/headless") as typeof Headless;
    const serialize = require("@xterm/addon-serialize") as typeof Serialize;
    this.#terminal = new headless.Terminal({ ...size, scrollback: SCROLLBACK, allowProposedApi: true });
    this.#serializer = new serialize.SerializeAddon();
    this.#terminal.loadAddon(this.#serializer);
    this.#terminal.onData(reply);
  }

  get size(): ScreenSize {
    const { cols, rows } = this.#terminal;
    return { cols, rows };
  }

  /** Draws; `onDrawn` is called once {@link text} and {@link snapshot} have it, in order. */
  draw(bytes: Buffer, onDrawn: () => void): void {
    this.#terminal.write(bytes, onDrawn);
  }

  resize({ cols, rows }: ScreenSize): void {
    this.#terminal.resize(cols, rows);
  }

  /** Its lines, without the blanks at their ends. */
  get text(): string {
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: this.#terminal.rows }, (_, row) =>
      active.getLine(active.viewportY + row)?.translateToString(true),
    );
    return lines.join("\n").trim();
  }

  /** What draws it, with the lines that have left it, on an empty terminal of its size. */
  get snapshot(): string {
    return this.#serializer.serialize();
  }
}
