import { sleep } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";

/**
 * Until when Claude's API takes nothing from the account that all headless agents share, as the workers say:
 * turns for it wait, so that none is burnt.
 */
export class AccountHolds {
  readonly #untils = new Map<symbol, number>();
  #changed = new AbortController();

  /** What is said on one link to a worker (epoch ms); undefined: nothing is held. It holds beyond the link. */
  set(link: symbol, until: number | undefined): void {
    for (const [other, past] of this.#untils) if (past <= Date.now()) this.#untils.delete(other);
    if (until === undefined) this.#untils.delete(link);
    else this.#untils.set(link, until);
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Throws `upstream_rate_limit` where the account is held for longer than `maxMs`. */
  check(maxMs: number): void {
    const until = this.#until;
    if (until === undefined || until - Date.now() <= maxMs) return;
    const message = `Claude's API limits the rate of this account until ${new Date(until).toISOString()}: ask again then`;
    throw new WireFailure("upstream_rate_limit", message, { retryAfterMs: until - Date.now() });
  }

  /** Resolves when nothing is held. Rejects with the signal's reason, and as {@link check} does. */
  async whenFree(maxMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + maxMs;
    for (;;) {
      signal.throwIfAborted();
      const until = this.#until;
      if (until === undefined) return;
      this.check(deadline - performance.now());
      await sleep(until - Date.now(), AbortSignal.any([signal, this.#changed.signal]));
    }
  }

  get #until(): number | undefined {
    const latest = Math.max(0, ...this.#untils.values());
    return latest > Date.now() ? latest : undefined;
  }
}
