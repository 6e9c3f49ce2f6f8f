/** Does things in the order in which they were handed in, though some are ready only later. */
export class InOrder {
  /** From the first on that is not ready. */
  readonly #places: { act?: () => void }[] = [];
  #allDone = Promise.withResolvers<void>();

  constructor() {
    this.#allDone.resolve();
  }

  /** Resolves once all that was handed in is done. */
  get allDone(): Promise<void> {
    return this.#allDone.promise;
  }

  /** Acts at once, or after what came before it. */
  add(act: () => void): void {
    if (this.#places.length === 0) act();
    else this.#places.push({ act });
  }

  /** Keeps a place in the order: what comes later waits till the returned function is told what to do there. */
  reserve(): (act: () => void) => void {
    if (this.#places.length === 0) this.#allDone = Promise.withResolvers();
    const place: { act?: () => void } = {};
    this.#places.push(place);
    return (act) => {
      place.act = act;
      this.#go();
    };
  }

  #go(): void {
    for (let next = this.#places[0]; next?.act !== undefined; next = this.#places[0]) {
      this.#places.shift();
      next.act();
    }
    if (this.#places.length === 0) this.#allDone.resolve();
  }
}
