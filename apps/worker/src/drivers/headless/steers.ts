import type { LineOf } from "./claude-line.ts";

interface Waiting {
  state: "queued" | "withdrawing";
  readonly settle: (isTaken: boolean) => void;
}

/** The messages that Claude is given within its running turn. */
export class Steers {
  readonly #askToDrop: (message: string) => void;
  /** What became of all of them, or will. */
  readonly #given = new Map<string, Promise<boolean>>();
  /** Those that Claude has not taken up. */
  readonly #waiting = new Map<string, Waiting>();

  /** `askToDrop`: asks Claude to drop the message. */
  constructor(askToDrop: (message: string) => void) {
    this.#askToDrop = askToDrop;
  }

  /** Whether Claude waits with none of them. */
  get areSettled(): boolean {
    return this.#waiting.size === 0;
  }

  /** Whether Claude takes the message up, where it was given it: it passes over a second one of that name in silence. */
  find(message: string): Promise<boolean> | undefined {
    return this.#given.get(message);
  }

  /** The message is written; resolves with whether Claude takes it up. */
  add(message: string): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#given.set(message, promise);
    this.#waiting.set(message, { state: "queued", settle: resolve });
    return promise;
  }

  /** Whether the line says that Claude takes up one of them now; that it dropped one is noted here. */
  takesUp({ command_uuid: message, state }: LineOf<"command_lifecycle">): boolean {
    if (!this.#waiting.has(message)) return false;
    if (state === "cancelled") this.settle(message, false);
    return state === "started";
  }

  settle(message: string, isTaken: boolean): void {
    this.#waiting.get(message)?.settle(isTaken);
    this.#waiting.delete(message);
  }

  /** None of them is to be taken up any more; Claude says of each whether it was too late. */
  withdrawAll(): void {
    for (const message of this.#waiting.keys()) this.withdraw(message);
  }

  /** A message is not to be taken up any more; Claude says whether it was too late. */
  withdraw(message: string): void {
    const waiting = this.#waiting.get(message);
    if (waiting?.state !== "queued") return;
    waiting.state = "withdrawing";
    this.#askToDrop(message);
  }

  /** The turn is over: none of them will be taken up. */
  end(): void {
    for (const message of this.#waiting.keys()) this.settle(message, false);
    this.#given.clear();
  }
}
