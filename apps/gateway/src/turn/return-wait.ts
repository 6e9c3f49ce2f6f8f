/** The time that the client of a turn, which all have left, has to come back. */
export class ReturnWait {
  #timer: NodeJS.Timeout | undefined;

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** `onOver` is called after `ms`, unless it is ended before. */
  begin(ms: number, onOver: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onOver, ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
