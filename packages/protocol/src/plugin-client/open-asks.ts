import { randomUUID } from "node:crypto";
import type { Ask, AskWithdrawn, Verdict } from "../ask.ts";

const MAX_OPEN = 64;

/** What an agent wants to do; see {@link Ask}. */
export interface PermissionAsk {
  /** The agent's own name for it; by default a UUID. */
  readonly id?: string;
  readonly tool: string;
  readonly input: Record<string, unknown>;
  readonly title?: string;
  readonly suggestions?: readonly unknown[];
}

/** The asks that have no verdict yet. Each gets exactly one: from the bridge, or here a `deny`. */
export class OpenAsks {
  readonly #write: (frame: Ask | AskWithdrawn) => void;
  readonly #open = new Map<string, { readonly frame: Ask; readonly resolve: (verdict: Verdict) => void }>();

  constructor(write: (frame: Ask | AskWithdrawn) => void) {
    this.#write = write;
  }

  /** Never rejects. Aborting withdraws it. */
  async add(ask: PermissionAsk, turnId: string | undefined, signal?: AbortSignal): Promise<Verdict> {
    const { id = randomUUID(), tool, input, title, suggestions } = ask;
    if (signal?.aborted || this.#open.has(id) || this.#open.size >= MAX_OPEN) {
      return deny(id, signal?.aborted ? "withdrawn" : `it is open already, or ${MAX_OPEN} others are`);
    }
    const frame: Ask = {
      type: "ask",
      id,
      tool,
      input,
      ...(title === undefined ? {} : { title }),
      ...(suggestions === undefined ? {} : { suggestions: [...suggestions] }),
      ...(turnId === undefined ? {} : { message_id: turnId }),
    };
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    this.#open.set(id, { frame, resolve });
    const withdraw = () => {
      if (!this.#open.has(id)) return;
      this.#write({ type: "ask_withdrawn", id });
      this.settle(deny(id, "withdrawn"));
    };
    signal?.addEventListener("abort", withdraw, { once: true });
    this.#write(frame);
    const verdict = await promise;
    signal?.removeEventListener("abort", withdraw);
    return verdict;
  }

  /** A verdict for an ask that is not open any more is dropped. */
  settle(verdict: Verdict): void {
    this.#open.get(verdict.id)?.resolve(verdict);
    this.#open.delete(verdict.id);
  }

  /** After a reconnect: what was asked or answered in between may be lost. */
  repeat(): void {
    for (const { frame } of this.#open.values()) this.#write(frame);
  }

  /** Of the turn, or of none in particular: all. */
  denyAll(why: string, turnId?: string): void {
    for (const [id, { frame }] of this.#open) {
      if (turnId === undefined || frame.message_id === turnId) this.settle(deny(id, why));
    }
  }
}

function deny(id: string, message: string): Verdict {
  return { type: "verdict", id, behavior: "deny", message };
}
