import type { WorkerLink } from "../worker/worker-link.ts";
import { Steering, type SteeringOptions } from "./steering.ts";
import type { TurnReader } from "./turn-readers.ts";
import type { HostedEnd } from "./turn-way.ts";

/** A running turn, for another one whose message it takes up. */
export interface HostTurn {
  readonly id: string;
  /** The link to its worker, while there is one. */
  readonly link: WorkerLink | undefined;
  readonly over: Promise<void>;
  /** Tells a client of the other one what comes after the event number `after`. What its own clients want of it holds. */
  takeOver(reader: TurnReader, after: number): void;
  /** A client that it took over has left. */
  leave(reader: TurnReader): void;
  cancel(why: string): void;
}

/** A turn that took up the message of another one. */
export interface TurnHost {
  readonly turn: HostTurn;
  /** Number of its last event before. */
  readonly after: number;
}

/** What becomes of a message that another turn is to take up. */
export class HostedTurn {
  readonly #endsWith: HostedEnd;
  #steering: Steering | undefined;
  #host: TurnHost | undefined;

  /** `endsWith`: what its clients' answers end with. */
  constructor(endsWith: HostedEnd) {
    this.#endsWith = endsWith;
  }

  /** The turn that took it up. */
  get host(): TurnHost | undefined {
    return this.#host;
  }

  /** Whether it was said there, and it is not known whether it was taken up. */
  get isSaid(): boolean {
    return this.#steering?.isSaid ?? false;
  }

  /** Says it within a turn: see {@link Steering.run}. The host, where that took it up. */
  async steer(turn: HostTurn, options: Omit<SteeringOptions, "host">): Promise<TurnHost | undefined> {
    const { id, link, over } = turn;
    this.#steering = new Steering({ ...options, host: { id, link, over } });
    const after = await this.#steering.run();
    this.#steering = undefined;
    return after === undefined ? undefined : { turn, after };
  }

  /** As far as it is said, it is to be taken back. */
  withdraw(): void {
    this.#steering?.withdraw();
  }

  /** A client is told the events of the turn that took it up. */
  tell(reader: TurnReader, { turn, after }: TurnHost): void {
    reader.endsWith = this.#endsWith;
    turn.takeOver(reader, after);
  }

  /** It was taken up: these clients are told that turn's events. Resolves when it is over. */
  async goOnIn(host: TurnHost, readers: readonly TurnReader[]): Promise<void> {
    this.#host = host;
    for (const reader of readers) this.tell(reader, host);
    await host.turn.over;
  }
}
