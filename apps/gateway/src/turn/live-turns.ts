import type { FindTurn } from "@synthesis/protocol";
import { KeptTurns } from "./kept-turns.ts";
import type { LiveTurn } from "./live-turn.ts";
import type { TurnReader } from "./turn-readers.ts";

/** The turns that this gateway has clients, or a place in a queue, for. */
export class LiveTurns {
  readonly #turns = new Map<string, LiveTurn>();
  readonly #bySession = new Map<string, Set<LiveTurn>>();
  readonly #byKey = new Map<string, LiveTurn>();
  readonly #kept = new KeptTurns();
  readonly #decisions = new Map<string, Promise<unknown>>();

  get size(): number {
    return this.#turns.size;
  }

  /** A turn that is made now: one of its session that was abandoned gives way. Kept till it is over. */
  begin(turn: LiveTurn): void {
    for (const other of this.#bySession.get(turn.place) ?? []) other.supersede();
    this.adopt(turn);
  }

  /** A turn that is there already. Kept till it is over, and for `keyMs` after that by its key, which no worker knows. */
  adopt(turn: LiveTurn, { keyMs = 0 }: { readonly keyMs?: number } = {}): void {
    const siblings = this.#bySession.get(turn.place) ?? new Set();
    this.#bySession.set(turn.place, siblings.add(turn));
    this.#turns.set(turn.id, turn);
    const { caller, key } = turn.request;
    const name = key && keyName(caller, key);
    if (name !== undefined) this.#byKey.set(name, turn);
    void turn.over.then(() => {
      this.#turns.delete(turn.id);
      siblings.delete(turn);
      if (siblings.size === 0) this.#bySession.delete(turn.place);
      if (name === undefined || this.#byKey.get(name) !== turn) return;
      this.#byKey.delete(name);
      if (keyMs > 0) this.#kept.keep(name, turn, keyMs);
    });
  }

  /** The turn of this session that a worker has. */
  running(place: string): LiveTurn | undefined {
    return [...(this.#bySession.get(place) ?? [])].find(({ state }) => state === "running");
  }

  /** A client has left. A turn that is abandoned and has successors in its session gives way at once. */
  leave(turn: LiveTurn, reader: TurnReader): void {
    turn.leave(reader);
    const siblings = [...(this.#bySession.get(turn.place) ?? [])];
    if (siblings.some((other) => other !== turn && other.state !== "steered")) turn.supersede();
  }

  /** A turn of this API key that a request repeats or names; without a key or an id, one whose clients have left. */
  find(caller: string, by: FindTurn["by"]): LiveTurn | undefined {
    if ("key" in by) {
      const name = keyName(caller, by.key);
      return this.#byKey.get(name) ?? this.#kept.find(name);
    }
    if ("turn" in by) {
      const turn = this.#turns.get(by.turn);
      return turn?.request.caller === caller ? turn : undefined;
    }
    return [...this.#turns.values()].find(
      ({ request, isVanished }) =>
        isVanished &&
        request.caller === caller &&
        ("body" in by ? request.body === by.body : request.prompt === by.prompt),
    );
  }

  /** Runs `decide` after those for the same request that came before: repetitions at once must not all begin a turn. */
  async oneByOne<T>(request: string, decide: () => Promise<T>): Promise<T> {
    const before = this.#decisions.get(request);
    const mine = (async () => {
      await before?.catch(() => {});
      return decide();
    })();
    this.#decisions.set(request, mine);
    try {
      return await mine;
    } finally {
      if (this.#decisions.get(request) === mine) this.#decisions.delete(request);
    }
  }
}

function keyName(caller: string, key: string): string {
  return `${caller}/${key}`;
}
