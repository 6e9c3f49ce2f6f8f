import { randomUUID } from "node:crypto";
import { writeLine } from "./write-line.ts";

/** What a control request or its answer carries. */
export type ControlBody = Readonly<Record<string, unknown>>;

/** The program that drives the fake, as far as the fake asks it something. */
export class FakeHost {
  readonly #waiting = new Map<string, (response: ControlBody) => void>();

  /** Asks it; resolves with its answer, an empty one where it refuses. */
  async ask(request: ControlBody): Promise<ControlBody> {
    return this.#ask(randomUUID(), request);
  }

  /** Asks it, and withdraws that when `signal` aborts; then it rejects with the signal's reason. */
  async askTill(signal: AbortSignal, request: ControlBody): Promise<ControlBody> {
    signal.throwIfAborted();
    const request_id = randomUUID();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => {
      this.#waiting.delete(request_id);
      writeLine({ type: "control_cancel_request", request_id });
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([this.#ask(request_id, request), aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #ask(request_id: string, request: ControlBody): Promise<ControlBody> {
    const { promise, resolve } = Promise.withResolvers<ControlBody>();
    this.#waiting.set(request_id, resolve);
    writeLine({ type: "control_request", request_id, request });
    return promise;
  }

  /** Takes the answer to one of its questions. */
  take(requestId: string, response: ControlBody): void {
    this.#waiting.get(requestId)?.(response);
    this.#waiting.delete(requestId);
  }
}
