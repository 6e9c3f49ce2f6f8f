/** Who waits to be let in, so many at once: above that whoever waits longest gives way, so that none can shut others out. */
export class WaitingRoom<T> {
  readonly #places: number;
  readonly #giveWay: (waiting: T) => void;
  readonly #waiting = new Set<T>();

  constructor(places: number, giveWay: (waiting: T) => void) {
    this.#places = places;
    this.#giveWay = giveWay;
  }

  enter(waiting: T): void {
    this.#waiting.add(waiting);
    const [longest] = this.#waiting;
    if (this.#waiting.size <= this.#places || longest === undefined) return;
    this.#waiting.delete(longest);
    this.#giveWay(longest);
  }

  /** It is let in, or gone. */
  leave(waiting: T): void {
    this.#waiting.delete(waiting);
  }

  /** Nobody is let in any more. */
  empty(): readonly T[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
