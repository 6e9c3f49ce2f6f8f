import { sleep } from "@synthesis/kit";
import { anthropicError } from "./anthropic-error.ts";
import { formatSse } from "./anthropic-event.ts";
import { sendJson, type Exchange } from "./exchange.ts";
import type { Gate } from "./gate.ts";
import { openSink, type MessageSink } from "./message-sink.ts";
import { words } from "./reply.ts";
import type { AnswerOptions, ScriptedReply, StatusOptions, ToolCall } from "./scripted-reply.ts";

/** Answers the request as scripted; resolves when there is nothing more to send. */
export async function playReply(reply: ScriptedReply, exchange: Exchange): Promise<void> {
  const { response } = exchange;
  switch (reply.kind) {
    case "text":
      return sendAnswer(exchange, reply, reply.chunks, () => {}, "end_turn");
    case "toolUse": {
      const addCalls = (sink: MessageSink) => reply.calls.forEach((call) => sink.toolUse(call));
      return sendAnswer(exchange, reply, words(reply.text ?? ""), addCalls, "tool_use");
    }
    case "gated":
      return sendGated(exchange, reply.gate);
    case "status":
      return sendJson(
        exchange,
        reply.status,
        anthropicError(reply.status, reply.message),
        retryHeaders(reply),
      );
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end(reply.body);
      return;
    case "noHeaders":
      return;
    case "sseError": {
      const error = anthropicError(reply.status, reply.message);
      if (!isStreamed(exchange)) return sendJson(exchange, reply.status, error);
      startAnswer(exchange, reply.chunks);
      response.end(formatSse({ ...error }));
      return;
    }
    case "brokenJson":
      if (isStreamed(exchange)) startAnswer(exchange, reply.chunks);
      else response.writeHead(200, { "content-type": "application/json" });
      response.end('event: content_block_delta\ndata: {"type":"content_block_delta","ind\n\n');
      return;
    case "cleanEnd":
      startAnswer(exchange, reply.chunks, reply.calls);
      response.end();
      return;
    case "stall":
      startAnswer(exchange, reply.chunks);
      return;
    case "cut":
      startAnswer(exchange, reply.chunks);
      // In a write callback, so that the chunks have left before the socket is destroyed.
      response.write("", exchange.cut);
      return;
  }
}

async function sendAnswer(
  { signal, ...rest }: Exchange,
  { thinking, delayMs, stopReason, usage }: AnswerOptions,
  chunks: readonly string[],
  addMore: (sink: MessageSink) => void,
  defaultStopReason: "end_turn" | "tool_use",
): Promise<void> {
  const sink = openSink({ signal, ...rest }, usage);
  if (thinking !== undefined) sink.thinking(thinking);
  for (const chunk of chunks) {
    if (delayMs !== undefined) await sleep(delayMs, signal);
    if (signal.aborted) return;
    sink.text(chunk);
  }
  addMore(sink);
  sink.end(stopReason ?? defaultStopReason, usage);
}

async function sendGated(exchange: Exchange, gate: Gate): Promise<void> {
  const sink = openSink(exchange, undefined);
  for await (const chunk of gate.chunks(exchange.signal)) sink.text(chunk);
  if (gate.ending === undefined || exchange.signal.aborted) return;
  if (gate.ending === "cut") exchange.response.write("", exchange.cut);
  else sink.end(gate.ending, undefined);
}

/** The first part of an answer that will not be completed; of a whole one nothing but the headers goes out. */
function startAnswer(exchange: Exchange, chunks: readonly string[], calls: readonly ToolCall[] = []): void {
  if (!isStreamed(exchange)) {
    exchange.response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    return;
  }
  const sink = openSink(exchange, undefined);
  for (const chunk of chunks) sink.text(chunk);
  for (const call of calls) sink.toolUse(call);
}

function isStreamed({ request }: Exchange): boolean {
  return request.body.stream === true;
}

function retryHeaders({ retryAfterSeconds, headers }: StatusOptions): object {
  return {
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...headers,
  };
}
