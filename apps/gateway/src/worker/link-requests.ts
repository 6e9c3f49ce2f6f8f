import { TimeoutError, withDeadline } from "@synthesis/kit";
import { WireFailure, type WireError } from "@synthesis/protocol";

/** The numbered requests on the link to a worker that have no answer yet. */
export class LinkRequests {
  readonly #answerMs: number;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #latest = 0;

  /** `answerMs`: how long the worker may take for what it can answer at once. */
  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  /**
   * Sends a request under a number of its own. Its answer; rejects when the link is lost, as the worker refuses, and
   * after `answerMs`.
   */
  async send<T>(send: (request: number) => void): Promise<T> {
    const answered = async (answer: Promise<T>) =>
      withDeadline(answer, this.#answerMs, "the worker did not answer");
    try {
      return await this.sendPatiently<T>(send, answered);
    } catch (error) {
      throw error instanceof TimeoutError ? noAnswer(error) : error;
    }
  }

  /** As {@link send}, for as long as `patience` waits for the answer. */
  async sendPatiently<T>(
    send: (request: number) => void,
    patience: (answer: Promise<T>) => Promise<T>,
  ): Promise<T> {
    const request = ++this.#latest;
    const answer = Promise.withResolvers<unknown>();
    this.#open.set(request, answer);
    send(request);
    try {
      return await patience(answer.promise as Promise<T>);
    } finally {
      this.#open.delete(request);
    }
  }

  answer(request: number, value: unknown): void {
    this.#open.get(request)?.resolve(value);
  }

  refuse(request: number, error: WireError): void {
    this.#open.get(request)?.reject(WireFailure.from(error));
  }

  /** The link is lost, and so are all answers. */
  lose(): void {
    for (const answer of this.#open.values()) answer.reject(linkLost());
    this.#open.clear();
  }
}

/** Why a link that is gone says nothing. */
export function linkLost(): WireFailure {
  return new WireFailure(
    "worker_unavailable",
    "the workspace's worker is being restarted: try again in a moment",
    { retryAfterMs: 1_000 },
  );
}

function noAnswer(cause: TimeoutError): WireFailure {
  const message = "the workspace's worker does not answer: try again in a moment";
  return new WireFailure("worker_unavailable", message, { retryAfterMs: 5_000, cause });
}
