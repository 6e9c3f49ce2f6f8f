/** Waits till an agent is known to have its prompt before it: after `seenMs` it is told `again`, after as long once more it is `deaf`. */
export class SeenTimer {
  #timer: NodeJS.Timeout;

  constructor(seenMs: number, again: () => void, deaf: () => void) {
    this.#timer = setTimeout(() => {
      again();
      this.#timer = setTimeout(deaf, seenMs);
    }, seenMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
