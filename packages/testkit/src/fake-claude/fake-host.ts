import { randomUUID } from "node:crypto";
import { writeLine } from "./write-line.ts";

/** What a control request or its answer carries. */
export type ControlBody = Readonly<Record<string, unknown>>;

/** The program that drives the fake, as far as the fake asks it something. */
export class FakeHost {
  readonly #waiting = new Map<string, (response: ControlBody) => void>();

  /** Asks it; resolves with its answer, an empty one where it refuses. */
  async ask(request: ControlBody): Promise<ControlBody> {
    const request_id = randomUUID();
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
