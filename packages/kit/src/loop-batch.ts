/**
 * Collects what is added during one turn of the event loop and hands it over once at its end. Never holds
 * anything by a timer: one write (and one system call) per loop turn instead of one per item.
 */
export class LoopBatch<T> {
  readonly #flush: (items: T[]) => void;
  #items: T[] = [];

  constructor(flush: (items: T[]) => void) {
    this.#flush = flush;
  }

  add(item: T): void {
    if (this.#items.push(item) === 1) setImmediate(() => this.flush());
  }

  /** Hands over at once what is waiting; used before a connection or a response is closed. */
  flush(): void {
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#flush(items);
  }
}
