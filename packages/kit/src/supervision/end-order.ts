import type { CloseReason } from "../close-reason.ts";

/** What a process was told of its end: several may tell it, the first reason and the earliest deadline count. */
export class EndOrder {
  readonly #given = Promise.withResolvers<{ readonly reason: CloseReason; readonly drainMs: number }>();
  readonly #due = Promise.withResolvers<void>();
  #givenAt: number | undefined;

  /** Settles with the first order. */
  readonly given = this.#given.promise;
  /** Settles when what still runs is to be cut. */
  readonly due = this.#due.promise;

  /** How long ago the first order came, in ms; undefined: none has come. */
  get ageMs(): number | undefined {
    return this.#givenAt === undefined ? undefined : performance.now() - this.#givenAt;
  }

  /** It is to end, and what runs in it may go on for `drainMs`. */
  give(reason: CloseReason, drainMs: number): void {
    this.#givenAt ??= performance.now();
    this.#given.resolve({ reason, drainMs });
    setTimeout(() => this.#due.resolve(), drainMs);
  }
}
