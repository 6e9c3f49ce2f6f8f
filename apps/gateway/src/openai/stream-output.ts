import type { ServerResponse } from "node:http";
import { LoopBatch } from "@synthesis/kit";
import type { TurnEnd, WireError } from "@synthesis/protocol";
import { respondError } from "../http/respond.ts";
import type { AnswerOutput, TurnFacts } from "../turn/answer-output.ts";
import type { CompletionOptions } from "./completion-output.ts";
import { errorBody } from "./error-body.ts";
import { factHeaders } from "./fact-headers.ts";
import { usageBody } from "./usage.ts";

export interface StreamOptions extends CompletionOptions {
  readonly includeUsage: boolean;
  readonly heartbeatMs: number;
  /** A client that leaves more than this unread is cut off. */
  readonly maxBufferedBytes: number;
}

/**
 * The answer as server-sent `chat.completion.chunk` events. Every event carries `choices` (clients choke on
 * others); a heartbeat is an empty content delta, for OpenClaw does not count comments as progress. Ends with
 * a finish reason and `[DONE]`, or with an error event and neither: a failure never looks like an answer.
 */
export class StreamOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: StreamOptions;
  readonly #batch: LoopBatch<string>;
  /** A chunk up to its delta, and from there to its end: made once, not per delta. */
  #head = "";
  #idHead = "";
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, options: StreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#batch = new LoopBatch((events) => this.#write(events.join("")));
    response.once("close", () => clearInterval(this.#heartbeat));
  }

  admitted(facts: TurnFacts): void {
    const { model, ignored, heartbeatMs } = this.#options;
    const created = Math.floor(Date.now() / 1000);
    const shared = { id: `chatcmpl-${facts.turn}`, object: "chat.completion.chunk", created, model };
    this.#idHead = `id: ${facts.turn}:`;
    this.#head = `data: ${JSON.stringify(shared).slice(0, -1)},`;
    this.#response.writeHead(200, {
      ...factHeaders(facts, ignored),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
    this.#chunk('{"role":"assistant","content":""}');
    if (this.#response.closed) return; // it left before
    this.#heartbeat = setInterval(() => this.#chunk('{"content":""}'), heartbeatMs);
  }

  sessionReset(why: string): void {
    this.#chunk(`{"reasoning_content":${JSON.stringify(`[the session begins anew: ${why}]\n`)}}`);
  }

  text(text: string, seq: number): void {
    this.#chunk(`{"content":${JSON.stringify(text)}}`, seq);
  }

  reasoning(text: string, seq: number): void {
    this.#chunk(`{"reasoning_content":${JSON.stringify(text)}}`, seq);
  }

  completed({ finishReason, usage, costUsd }: Extract<TurnEnd, { state: "completed" }>, seq: number): void {
    this.#chunk("{}", seq, JSON.stringify(finishReason));
    if (this.#options.includeUsage && usage) {
      this.#batch.add(`${this.#head}"choices":[],"usage":${JSON.stringify(usageBody(usage, costUsd))}}\n\n`);
    }
    this.#end("data: [DONE]\n\n");
  }

  failed(error: WireError): void {
    if (!this.#response.headersSent) return respondError(this.#response, error);
    this.#end(`data: ${JSON.stringify(errorBody(error))}\n\n`);
  }

  /** `seq` numbers the event for `Last-Event-ID`; what has none is not part of the turn. */
  #chunk(delta: string, seq?: number, finishReason = "null"): void {
    this.#heartbeat?.refresh();
    const id = seq === undefined ? "" : `${this.#idHead}${seq}\n`;
    this.#batch.add(
      `${id}${this.#head}"choices":[{"index":0,"delta":${delta},"finish_reason":${finishReason}}]}\n\n`,
    );
  }

  #end(last: string): void {
    clearInterval(this.#heartbeat);
    this.#batch.add(last);
    this.#batch.flush();
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return; // the gateway closed, or the client left
    this.#response.write(text);
    if (this.#response.writableLength > this.#options.maxBufferedBytes) this.#response.destroy();
  }
}
