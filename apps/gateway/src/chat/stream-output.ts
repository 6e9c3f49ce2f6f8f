import type { ServerResponse } from "node:http";
import type { AgentAsk, AskSettlement, ToolCallDelta, TurnEnd, WireError } from "@synthesis/protocol";
import { askBody, settlementBody } from "../asks/ask-body.ts";
import { EventStream, type EventStreamOptions } from "../http/event-stream.ts";
import { respondError } from "../http/respond.ts";
import type { AnswerOutput, TurnFacts } from "../answer/answer-output.ts";
import type { CompletionHead } from "./completion-body.ts";
import { errorBody } from "../answer/error-body.ts";
import { usageBody } from "./usage.ts";

export interface StreamOptions extends CompletionHead, EventStreamOptions {
  readonly includeUsage: boolean;
}

/**
 * The answer as server-sent `chat.completion.chunk` events. Every event carries `choices` (clients choke on
 * others); a heartbeat is an empty content delta, for OpenClaw does not count comments as progress. Ends with
 * a finish reason and `[DONE]`, or with an error event and neither: a failure never looks like an answer.
 */
export class StreamOutput implements AnswerOutput {
  readonly #response: ServerResponse;
  readonly #options: StreamOptions;
  readonly #stream: EventStream;
  /** A chunk up to its delta, and from there to its end: made once, not per delta. */
  #head = "";
  #idHead = "";

  constructor(response: ServerResponse, options: StreamOptions) {
    this.#response = response;
    this.#options = options;
    this.#stream = new EventStream(response, options);
  }

  admitted(facts: TurnFacts): void {
    const { model, fingerprint } = this.#options;
    const created = Math.floor(Date.now() / 1000);
    const shared = {
      id: `chatcmpl-${facts.turn}`,
      object: "chat.completion.chunk",
      created,
      model,
      system_fingerprint: fingerprint,
    };
    this.#idHead = `id: ${facts.turn}:`;
    this.#head = `data: ${JSON.stringify(shared).slice(0, -1)},`;
    this.#stream.open(() => this.#chunk('{"content":""}'));
    this.#stream.send(this.#chunk('{"role":"assistant","content":""}'));
  }

  sessionReset(why: string): void {
    const line = JSON.stringify(`[the session begins anew: ${why}]\n`);
    this.#stream.send(this.#chunk(`{"reasoning_content":${line}}`));
  }

  text(text: string, seq: number): void {
    this.#stream.send(this.#chunk(`{"content":${JSON.stringify(text)}}`, seq));
  }

  reasoning(text: string, seq: number): void {
    this.#stream.send(this.#chunk(`{"reasoning_content":${JSON.stringify(text)}}`, seq));
  }

  toolCall({ index, id, name, arguments: piece }: ToolCallDelta, seq: number): void {
    const call =
      id === undefined
        ? { index, function: { arguments: piece } }
        : { index, id, type: "function", function: { name, arguments: piece } };
    this.#stream.send(this.#chunk(`{"tool_calls":[${JSON.stringify(call)}]}`, seq));
  }

  asked(ask: AgentAsk, seq: number): void {
    this.#heartbeat({ asked: askBody(ask) }, seq);
  }

  askSettled(settlement: AskSettlement, seq: number): void {
    this.#heartbeat({ ask_settled: settlementBody(settlement) }, seq);
  }

  completed({ finishReason, usage, costUsd }: Extract<TurnEnd, { state: "completed" }>, seq: number): void {
    this.#stream.send(this.#chunk("{}", seq, JSON.stringify(finishReason)));
    if (this.#options.includeUsage && usage) {
      const body = JSON.stringify(usageBody(usage, costUsd));
      this.#stream.send(`${this.#head}"choices":[],"usage":${body}}\n\n`);
    }
    this.#end("data: [DONE]\n\n");
  }

  failed(error: WireError): void {
    if (!this.#response.headersSent) return respondError(this.#response, error);
    this.#end(`data: ${JSON.stringify(errorBody(error))}\n\n`);
  }

  /** `seq` numbers the event for `Last-Event-ID`; what has none is not part of the turn. */
  #chunk(delta: string, seq?: number, finishReason = "null"): string {
    const id = seq === undefined ? "" : `${this.#idHead}${seq}\n`;
    return `${id}${this.#head}"choices":[{"index":0,"delta":${delta},"finish_reason":${finishReason}}]}\n\n`;
  }

  /** A heartbeat with a field of ours. */
  #heartbeat(synthesis: object, seq: number): void {
    const chunk = this.#chunk('{"content":""}', seq).trimEnd().slice(0, -1);
    this.#stream.send(`${chunk},"synthesis":${JSON.stringify(synthesis)}}\n\n`);
  }

  #end(last: string): void {
    this.#stream.send(last);
    this.#stream.end();
  }
}
