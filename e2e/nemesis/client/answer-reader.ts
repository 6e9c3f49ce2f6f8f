import * as z from "zod";
import type { Outcome } from "./client-turn.ts";
import { SseReader, type SseEvent } from "./sse-reader.ts";

const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const Chunk = z.object({
  choices: z.array(z.object({ delta: z.object({ content: z.string().nullish() }) })),
});
const Completion = z.object({
  choices: z.tuple([z.object({ message: z.object({ content: z.string() }) })]),
});

/** What may be said of a turn that no worker has accepted: within a stream too, it may be repeated. */
const BEFORE_ACCEPTANCE: ReadonlySet<string> = new Set([
  "queue_full",
  "queue_timeout",
  "too_many_workspaces",
  "worker_unavailable",
  "worker_draining",
  "shutting_down",
]);

/** Reads the bytes of one answer, streamed or not, and judges its end. */
export class AnswerReader {
  readonly seqs: number[] = [];
  readonly pieces: [atMs: number, length: number][] = [];
  /** The `id` of the last whole event. */
  lastEventId: string | undefined;
  readonly #status: number;
  readonly #shouldRetry: string | undefined;
  readonly #isStream: boolean;
  readonly #decoder = new TextDecoder();
  readonly #events = new SseReader();
  #body = "";
  #text: string;
  #outcome: Outcome | undefined;

  /** `known`: what an earlier connection brought of the same answer. */
  constructor(
    head: { readonly status: number; readonly isStream: boolean; readonly shouldRetry: string | undefined },
    known: string,
  ) {
    this.#status = head.status;
    this.#isStream = head.isStream;
    this.#shouldRetry = head.shouldRetry;
    this.#text = known;
  }

  get text(): string {
    return this.#text;
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (!this.#isStream) this.#body += text;
    else for (const event of this.#events.push(text)) this.#take(event);
  }

  /** The response has ended in order. */
  end(): Outcome {
    if (this.#isStream)
      return this.#outcome ?? { kind: "truncated", why: "a stream without [DONE] or an error" };
    const body: unknown = parsed(this.#body);
    if (this.#status !== 200) return this.#error(body);
    const completion = Completion.safeParse(body);
    if (!completion.success) {
      return { kind: "truncated", why: `a 200 with the body ${JSON.stringify(this.#body.slice(0, 200))}` };
    }
    this.#say(completion.data.choices[0].message.content);
    return { kind: "completed" };
  }

  /** The connection was lost; an end that came before stands. */
  cut(why: string): Outcome {
    return this.#outcome ?? { kind: "cut", why };
  }

  #take({ id, data }: SseEvent): void {
    if (id !== undefined) {
      this.lastEventId = id;
      this.seqs.push(Number(id.split(":").at(-1)));
    }
    if (data === "[DONE]") {
      this.#outcome ??= { kind: "completed" };
      return;
    }
    const event: unknown = parsed(data);
    const chunk = Chunk.safeParse(event);
    if (!chunk.success) this.#outcome ??= this.#error(event);
    else for (const { delta } of chunk.data.choices) this.#say(delta.content ?? "");
  }

  #say(text: string): void {
    if (text === "") return;
    this.#text += text;
    this.pieces.push([Date.now(), text.length]);
  }

  #error(body: unknown): Outcome {
    const status = this.#status;
    const unreadable = { code: `http_${status}`, message: `unreadable: ${JSON.stringify(body)}` };
    const { code, message } = ErrorBody.safeParse(body).data?.error ?? unreadable;
    return { kind: "error", code, message, status, isRetryable: this.#isRetryable(code) };
  }

  #isRetryable(code: string): boolean {
    if (this.#status === 200) return BEFORE_ACCEPTANCE.has(code);
    return this.#shouldRetry !== "false" && (this.#status === 429 || this.#status === 503);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
