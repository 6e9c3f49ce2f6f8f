import { randomUUID } from "node:crypto";
import { abortable } from "@synthesis/kit";
import { WireFailure, type Prompt } from "@synthesis/protocol";
import type { WorkerLink } from "../worker/worker-link.ts";
import { STEER_UNKNOWN } from "./turn-failures.ts";

export interface SteeringOptions {
  /** The running turn. */
  readonly host: {
    readonly id: string;
    /** The link to its worker, while there is one. */
    readonly link: WorkerLink | undefined;
    readonly over: Promise<void>;
  };
  /** As `TurnDraft.steering`. */
  readonly prompt: (link: WorkerLink) => Promise<Prompt | undefined>;
  /** Aborts when the message is not to be said any more. */
  readonly stop: AbortSignal;
  /** Aborts when the gateway closes. */
  readonly closing: AbortSignal;
}

/** How long a worker may take to say what became of a message after its turn's end, or after it was withdrawn. */
const ANSWER_MS = 5_000;

/** A message on its way into a running turn. Once it is said, only the worker knows whether the agent has it. */
export class Steering {
  readonly #options: SteeringOptions;
  readonly #message = randomUUID();
  /** What the message was said over, as long as it is not known what became of it. */
  #link: WorkerLink | undefined;
  readonly #late = new AbortController();
  #lateTimer: NodeJS.Timeout | undefined;

  constructor(options: SteeringOptions) {
    this.#options = options;
  }

  /** Whether the agent may have the message. */
  get isSaid(): boolean {
    return this.#link !== undefined;
  }

  /**
   * The number of the turn's last event before the agent took the message up; undefined: it did not, and never will.
   * Rejects with the reason of `stop` or `closing` where the message was not said, and as {@link STEER_UNKNOWN} where
   * it was and nobody says what became of it.
   */
  async run(): Promise<number | undefined> {
    const { host, stop, closing } = this.#options;
    const { link } = host;
    const prompt = link && (await this.#prompt(link, AbortSignal.any([stop, closing])));
    if (prompt === undefined || hasResults(prompt) || !link?.isOpen) return undefined;
    stop.throwIfAborted();
    this.#link = link;
    const withdraw = () => this.withdraw();
    stop.addEventListener("abort", withdraw, { once: true });
    void host.over.then(() => this.#expectAnswer());
    const patience = AbortSignal.any([closing, this.#late.signal]);
    try {
      const after = await link.steer({ turn: host.id, message: this.#message, prompt }, patience);
      this.#link = undefined;
      return after;
    } catch (error) {
      throw error instanceof WireFailure ? WireFailure.from(STEER_UNKNOWN) : error;
    } finally {
      stop.removeEventListener("abort", withdraw);
      clearTimeout(this.#lateTimer);
      this.#late.abort();
    }
  }

  /** The message is to be taken back, unless the agent has it already: {@link run} tells. */
  withdraw(): void {
    if (this.#link === undefined) return;
    this.#link.withdrawSteer(this.#options.host.id, this.#message);
    this.#expectAnswer();
  }

  async #prompt(link: WorkerLink, signal: AbortSignal): Promise<Prompt | undefined> {
    try {
      return await abortable(this.#options.prompt(link), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof WireFailure) return undefined; // it is told where the message is a turn of its own
      throw error;
    }
  }

  #expectAnswer(): void {
    if (this.#late.signal.aborted) return;
    const giveUp = () => this.#late.abort(WireFailure.from(STEER_UNKNOWN));
    this.#lateTimer ??= setTimeout(giveUp, ANSWER_MS);
  }
}

/** What functions gave back is for the turn that follows their calls. */
function hasResults(prompt: Prompt): boolean {
  return typeof prompt !== "string" && prompt.some(({ type }) => type === "tool_result");
}
