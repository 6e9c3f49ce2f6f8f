import { post, type Chat, type ErrorBody } from "./chat.ts";
import type { Synthesis } from "./synthesis.ts";

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string; readonly reasoning_content?: string };
    readonly finish_reason: string | null;
  }[];
}

/** Opens one streamed turn; resolves with its headers. */
export async function openStream(synthesis: Synthesis, chat: Chat): Promise<AnswerStream> {
  const gone = new AbortController();
  const response = await post(synthesis, { ...chat, signal: gone.signal }, true);
  return new AnswerStream(response, gone);
}

/** One streamed turn to its end. */
export async function streamed(synthesis: Synthesis, chat: Chat): Promise<AnswerStream> {
  const stream = await openStream(synthesis, chat);
  await stream.end();
  return stream;
}

/** A streamed answer, read by hand: what has come so far, and waits for more. */
export class AnswerStream {
  readonly status: number;
  readonly headers: Headers;
  /** The content deltas that are not empty. */
  readonly parts: string[] = [];
  reasoning = "";
  finishReason: string | undefined;
  /** The error event, if one came. */
  error: ErrorBody["error"] | undefined;
  /** Whether `[DONE]` came. */
  isDone = false;
  readonly #events: AsyncGenerator<string, void, undefined>;
  readonly #gone: AbortController;

  constructor(response: Response, gone: AbortController) {
    this.status = response.status;
    this.headers = response.headers;
    this.#events = dataLines(response);
    this.#gone = gone;
  }

  get content(): string {
    return this.parts.join("");
  }

  /** Reads till the content so far contains `text`. */
  async until(text: string): Promise<void> {
    while (!this.content.includes(text)) {
      if (!(await this.#readOne())) throw new Error(`the answer ended before "${text}": ${this.content}`);
    }
  }

  /** Reads to the end of the response. */
  async end(): Promise<this> {
    while (await this.#readOne());
    return this;
  }

  /** The client leaves. */
  leave(): void {
    this.#gone.abort();
  }

  async #readOne(): Promise<boolean> {
    const { value, done } = await this.#events.next();
    if (done || value === undefined) return false;
    if (value === "[DONE]") {
      this.isDone = true;
      return true;
    }
    const event = JSON.parse(value) as Chunk & Partial<ErrorBody>;
    this.error ??= event.error;
    const choice = event.choices?.[0];
    if (choice?.delta.content) this.parts.push(choice.delta.content);
    this.reasoning += choice?.delta.reasoning_content ?? "";
    this.finishReason ??= choice?.finish_reason ?? undefined;
    return true;
  }
}

async function* dataLines(response: Response): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const bytes of response.body ?? []) {
    pending += decoder.decode(bytes, { stream: true });
    const events = pending.split("\n\n");
    pending = events.pop() ?? "";
    for (const line of events.flatMap((event) => event.split("\n")))
      if (line.startsWith("data: ")) yield line.slice("data: ".length);
  }
}
