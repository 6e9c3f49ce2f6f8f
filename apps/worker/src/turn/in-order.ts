/**
 * Does things in the order in which they were handed in, though some are ready only later. Where one throws, `onFailure`
 * is told, and nothing that comes after it is done: it would stand in a wrong place.
 */
export class InOrder {
  readonly #onFailure: (error: unknown) => void;
  /** From the first on that is not ready. */
  readonly #places: { act?: () => void }[] = [];
  #state: "in_order" | "failed" = "in_order";
  #allDone = deferred();

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    this.#allDone.resolve();
  }

  /** Resolves once all that was handed in is done. Rejects with what one of these threw. */
  get allDone(): Promise<void> {
    return this.#allDone.promise;
  }

  /** Acts at once, or after what came before it. */
  add(act: () => void): void {
    if (this.#state === "failed") return;
    if (this.#places.length === 0) this.#do(act);
    else this.#places.push({ act });
  }

  /** Keeps a place in the order: what comes later waits till the returned function is told what to do there. */
  reserve(): (act: () => void) => void {
    if (this.#state === "failed") return () => {};
    if (this.#places.length === 0) this.#allDone = deferred();
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
      this.#do(next.act);
    }
    if (this.#places.length === 0) this.#allDone.resolve();
  }

  #do(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#state = "failed";
      this.#places.length = 0;
      this.#allDone.reject(error);
      this.#allDone = deferred(); // where it had resolved
      this.#allDone.reject(error);
      this.#onFailure(error);
    }
  }
}

/** Rejects for whoever waits for it: nobody need. */
function deferred(): PromiseWithResolvers<void> {
  const resolvers = Promise.withResolvers<void>();
  resolvers.promise.catch(() => {});
  return resolvers;
}
