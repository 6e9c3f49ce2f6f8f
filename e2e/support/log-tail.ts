import type { Readable } from "node:stream";

/** One line of a log that is JSON. */
export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** What a process wrote to a stream, as text and as log lines, for tests that wait for something in it. */
export class LogTail {
  #text = "";
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  constructor(stream: Readable) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      this.#text += text;
      this.#announce();
    });
    stream.once("close", () => {
      this.#isOver = true;
      this.#announce();
    });
  }

  get text(): string {
    return this.#text;
  }

  /** The whole lines so far that are log lines. */
  get lines(): readonly LogLine[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line): LogLine => JSON.parse(line));
  }

  /** The lines so far of one event. */
  of(event: string): readonly LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** Resolves with what `find` finds in it, as soon as it finds something; rejects when the stream ends before. */
  async until<T>(what: string, find: (tail: LogTail) => T | undefined | null | false): Promise<T> {
    for (;;) {
      const found = find(this);
      if (found !== undefined && found !== null && found !== false) return found;
      if (this.#isOver) throw new Error(`the stream ended before ${what}; it was:\n${this.#text}`);
      await this.#changed.promise;
    }
  }

  /** The `nth` (1: the first) line of an event, past or future, that has these fields. */
  async line(event: string, fields: Readonly<Record<string, unknown>> = {}, nth = 1): Promise<LogLine> {
    const matches = (line: LogLine) =>
      line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value);
    return this.until(`log line ${event}`, ({ lines }) => lines.filter(matches)[nth - 1]);
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
