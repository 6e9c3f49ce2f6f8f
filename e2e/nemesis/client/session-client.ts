import { sleep } from "@synthesis/kit";
import type { SessionName } from "../conversation/order.ts";
import type { Workspace } from "../instance/configuration.ts";
import type { Random } from "../random.ts";
import type { ClientTurn, TurnPlan } from "./client-turn.ts";
import { driveTurn, type Driver } from "./drive-turn.ts";
import type { Door } from "./exchange.ts";
import { nextPlan, proofPlan } from "./turn-mix.ts";

export interface SessionClientOptions {
  readonly door: Door;
  readonly workspace: Workspace;
  readonly session: SessionName;
  readonly random: Random;
  readonly patienceMs: number;
  /** A turn is over. */
  onTurn(turn: ClientTurn): void;
}

/** Probability that a second turn is posted while one runs: it has to queue. */
const PAIRED = 0.15;

/** The one client of a session: turns one after the other, now and then two at once. */
export class SessionClient {
  readonly #options: SessionClientOptions;
  readonly #driver: Driver;
  #turns = 0;

  constructor(options: SessionClientOptions) {
    this.#options = options;
    const { door, workspace, session, patienceMs } = options;
    this.#driver = { door, workspace, session, patienceMs };
  }

  /** Turns till `stop` aborts; the last ones are led to their ends. */
  async run(stop: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!stop.aborted) {
      const turns = [this.#drive(nextPlan(random, this.#canary()))];
      if (random.chance(PAIRED)) {
        await sleep(random.between(0, 200));
        turns.push(this.#drive(nextPlan(random, this.#canary())));
      }
      await Promise.all(turns);
    }
  }

  /** One plain turn. */
  async prove(): Promise<ClientTurn> {
    return this.#drive(proofPlan(this.#canary()));
  }

  async #drive(plan: TurnPlan): Promise<ClientTurn> {
    const turn = await driveTurn(this.#driver, plan);
    this.#options.onTurn(turn);
    return turn;
  }

  #canary(): string {
    this.#turns += 1;
    return `${this.#options.session}.${this.#turns}`;
  }
}
