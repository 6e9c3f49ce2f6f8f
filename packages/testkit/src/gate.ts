import type { ScriptedReply, StopReason } from "./scripted-reply.ts";

/**
 * An answer that a test holds open and releases chunk by chunk. Each request it answers (a retry, the
 * non-streamed fallback) gets all chunks from the first on.
 */
export class Gate {
  /** The reply to hand to `next` or to return from a script. */
  readonly reply: ScriptedReply = { kind: "gated", gate: this };
  readonly #chunks: string[] = [];
  readonly #opened = Promise.withResolvers<void>();
  #ending: StopReason | "cut" | undefined;
  #changed = Promise.withResolvers<void>();

  /** Resolves when a request is first answered by this gate. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Why it ended; undefined while it is open. */
  get ending(): StopReason | "cut" | undefined {
    return this.#ending;
  }

  push(text: string): void {
    if (this.#ending !== undefined) throw new Error("the gate has ended: push before end");
    this.#chunks.push(text);
    this.#announce();
  }

  /** Breaks the answer off after what was pushed: the connection is destroyed. */
  cut(): void {
    this.#ending ??= "cut";
    this.#announce();
  }

  /** Completes the answer. */
  end(stopReason: StopReason = "end_turn"): void {
    this.#ending ??= stopReason;
    this.#announce();
  }

  /** The chunks from the first on, each as soon as it is pushed, until the end or until `signal` aborts. */
  async *chunks(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    this.#opened.resolve();
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    for (let index = 0; !signal.aborted;) {
      const chunk = this.#chunks[index];
      if (chunk !== undefined) {
        index += 1;
        yield chunk;
      } else if (this.#ending === undefined) {
        await Promise.race([this.#changed.promise, aborted.promise]);
      } else break;
    }
    signal.removeEventListener("abort", onAbort);
  }

  #announce(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
