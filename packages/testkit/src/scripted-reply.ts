import type { Gate } from "./gate.ts";

/** Why Claude stopped, in the Messages API's words. */
export type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "refusal"
  | "model_context_window_exceeded";

/** Tokens that an answer reports; what is left out gets a small fixed number. */
export interface ReplyUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  /** Of the output. */
  readonly thinkingTokens?: number;
}

/** One tool call of an answer. */
export interface ToolCall {
  /** Made up where absent. */
  readonly id?: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Its input as a stream has it, in pieces; one piece where absent. In a `cleanEnd` reply it may be unfinished. */
  readonly json?: readonly string[];
}

/** What every well-formed answer may set. */
export interface AnswerOptions {
  /** Pause before each chunk. */
  readonly delayMs?: number;
  readonly stopReason?: StopReason;
  readonly usage?: ReplyUsage;
  /** A thinking block before the text. */
  readonly thinking?: string;
}

/** What a status reply may set. */
export interface StatusOptions {
  readonly message?: string;
  /** `retry-after`, in seconds as the header has it. */
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How the stand-in answers one request. Built by `reply`. */
export type ScriptedReply =
  | ({ readonly kind: "text"; readonly chunks: readonly string[] } & AnswerOptions)
  | ({
      readonly kind: "toolUse";
      readonly text?: string;
      readonly calls: readonly ToolCall[];
    } & AnswerOptions)
  | ({ readonly kind: "status"; readonly status: number } & StatusOptions)
  /** Status 200 with an HTML body, as a captive portal answers. */
  | { readonly kind: "html"; readonly body: string }
  /** These chunks, then an SSE `error` event. */
  | {
      readonly kind: "sseError";
      readonly chunks: readonly string[];
      readonly status: number;
      readonly message: string;
    }
  /** These chunks, then an event whose data is no JSON. */
  | { readonly kind: "brokenJson"; readonly chunks: readonly string[] }
  /** These chunks, then the socket is destroyed. */
  | { readonly kind: "cut"; readonly chunks: readonly string[] }
  /** These chunks and calls, then a regular end of the body without `message_stop`. */
  | { readonly kind: "cleanEnd"; readonly chunks: readonly string[]; readonly calls: readonly ToolCall[] }
  /** Never a byte, not even headers, until the client or the stand-in closes. */
  | { readonly kind: "noHeaders" }
  /** These chunks, then silence until the client or the stand-in closes. */
  | { readonly kind: "stall"; readonly chunks: readonly string[] }
  /** As a test pushes it. */
  | { readonly kind: "gated"; readonly gate: Gate };
