import { withDeadline } from "@synthesis/kit";
import type { Response } from "undici";

/** One event's data: a chunk, an error, or the text `[DONE]`. */
export type EventData =
  | "[DONE]"
  | {
      readonly choices: readonly {
        readonly delta: Readonly<Record<string, string>>;
        readonly finish_reason: string | null;
      }[];
      readonly usage?: object;
      readonly error?: { readonly code: string; readonly message: string; readonly type: string };
    };

const PATIENCE_MS = 4_000;
const EVENT = /^(?:id: (.*)\n)?data: (.*)$/;

/** The server-sent events of an answer, one by one. */
export class Events {
  /** Of the latest event that has one, as a client would send it in `Last-Event-ID`. */
  lastId: string | undefined;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #buffer = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error("an answer has a body");
    this.#chunks = response.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /** The next event's data; undefined at the end of the answer. */
  async next(): Promise<EventData | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf("\n\n");
      if (end !== -1) {
        const event = this.#buffer.slice(0, end);
        this.#buffer = this.#buffer.slice(end + 2);
        const [, id, data] = EVENT.exec(event) ?? [];
        if (data === undefined) throw new Error(`no data event: ${event}`);
        this.lastId = id ?? this.lastId;
        return data === "[DONE]" ? data : (JSON.parse(data) as EventData);
      }
      const chunk = await withDeadline(this.#chunks.next(), PATIENCE_MS, "no event came");
      if (chunk.done) return undefined;
      this.#buffer += this.#decoder.decode(chunk.value, { stream: true });
    }
  }

  /** The next event's delta. */
  async delta(): Promise<Readonly<Record<string, string>> | undefined> {
    const data = await this.next();
    return data === undefined || data === "[DONE]" ? undefined : data.choices?.[0]?.delta;
  }

  /** Everything that is left, to the end. */
  async rest(): Promise<EventData[]> {
    const all: EventData[] = [];
    for (let data = await this.next(); data !== undefined; data = await this.next()) all.push(data);
    return all;
  }

  /** The answer's text from here to the end, which must be a clean one. */
  async text(): Promise<string> {
    const all = await this.rest();
    if (all.at(-1) !== "[DONE]") throw new Error(`no clean end: ${JSON.stringify(all.at(-1))}`);
    return all.map((data) => (data === "[DONE]" ? "" : (data.choices[0]?.delta["content"] ?? ""))).join("");
  }
}
