/** Until when Claude's API takes nothing from the account that the headless agents of this worker use. */
export class AccountHold {
  readonly #onChange: (until: number | undefined) => void;
  #until = 0;
  #end: NodeJS.Timeout | undefined;

  /** `onChange` is told when it begins, is prolonged, or ends. */
  constructor(onChange: (until: number | undefined) => void) {
    this.#onChange = onChange;
  }

  /** Epoch ms; undefined where nothing is held. */
  get until(): number | undefined {
    return this.#until > Date.now() ? this.#until : undefined;
  }

  /** Holds till `until` (epoch ms), or longer where that was known already. */
  hold(until: number): void {
    if (until <= this.#until) return;
    this.#until = until;
    clearTimeout(this.#end);
    this.#end = setTimeout(() => this.#release(), Math.min(until - Date.now(), MAX_TIMER_MS));
    this.#end.unref();
    this.#onChange(until);
  }

  /** By the timer, not by the clock, which may have been set back since. */
  #release(): void {
    this.#until = 0;
    this.#onChange(undefined);
  }

  close(): void {
    clearTimeout(this.#end);
  }
}

/** Longest delay of Node's timers. */
const MAX_TIMER_MS = 2 ** 31 - 1;
