import type { ServerResponse } from "node:http";
import { LoopBatch } from "@synthesis/kit";

export interface EventStreamOptions {
  /** After so long without an event, in ms, a heartbeat is one. */
  readonly heartbeatMs: number;
  /** A client that leaves more than this unread is cut off. */
  readonly maxBufferedBytes: number;
}

/** Server-sent events to one client: those of one loop turn travel in one write. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly #batch: LoopBatch<string>;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#batch = new LoopBatch((events) => this.#write(events.join("")));
    response.once("close", () => clearInterval(this.#heartbeat));
  }

  /** Begins the answer; `heartbeat` makes the event that shows life while there is nothing else to say. */
  open(heartbeat: () => string): void {
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
    if (this.#response.closed) return; // it left before
    this.#heartbeat = setInterval(() => this.#batch.add(heartbeat()), this.#options.heartbeatMs);
  }

  /** Sends an event, as it is on the wire. */
  send(event: string): void {
    this.#heartbeat?.refresh();
    this.#batch.add(event);
  }

  /** Sends what is left, and ends the answer. */
  end(): void {
    clearInterval(this.#heartbeat);
    this.#batch.flush();
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return; // the gateway closed, or the client left
    this.#response.write(text);
    if (this.#response.writableLength > this.#options.maxBufferedBytes) this.#response.destroy();
  }
}

/** An event that is called what its data's `type` says. */
export function typedEvent(data: { readonly type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
