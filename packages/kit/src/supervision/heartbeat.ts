export interface HeartbeatOptions {
  /** After how long without an answer it counts as hung, in ms. */
  readonly silentMs: number;
  ping(): void;
  /** Half of that time has passed. */
  onUnresponsive(): void;
  /** It answers again. */
  onResponsive(): void;
  /** It is hung. The heartbeat has stopped. */
  onHung(): void;
}

/** How many pings go unanswered before a process counts as hung; even, for it is reported at half of them. */
const PINGS_PER_SILENCE = 6;

/**
 * Whether a process's event loop answers. Counted in pings, not in time: after a suspend of the machine all
 * of us have been silent. Two stages, so that what is slow is seen before what is hung is killed.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;
  #unanswered = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#beat(), options.silentMs / PINGS_PER_SILENCE);
  }

  get isResponsive(): boolean {
    return this.#unanswered <= PINGS_PER_SILENCE / 2;
  }

  /** It said something. */
  hear(): void {
    const wasResponsive = this.isResponsive;
    this.#unanswered = 0;
    if (!wasResponsive) this.#options.onResponsive();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    if (this.#unanswered === PINGS_PER_SILENCE) {
      this.stop();
      return this.#options.onHung();
    }
    this.#unanswered++;
    if (this.#unanswered - 1 === PINGS_PER_SILENCE / 2) this.#options.onUnresponsive();
    this.#options.ping();
  }
}
