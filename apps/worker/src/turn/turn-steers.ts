import type { Prompt } from "@synthesis/protocol";
import type { Steerable } from "../drivers/agent-process.ts";

/** What else is said to the agent of one turn while that runs. */
export class TurnSteers {
  #process: Steerable | undefined;
  /** Said, and not known whether they are taken up. */
  readonly #open = new Set<string>();
  /** By its message: the number of the turn's last event before it was taken up. */
  readonly #taken = new Map<string, number>();

  /** Whether its agent took up none. */
  get isEmpty(): boolean {
    return this.#taken.size === 0;
  }

  /** The process that runs the turn from now on; undefined: none. */
  runsOn(process: Steerable | undefined): void {
    this.#process = process;
  }

  /**
   * Resolves with the number of the turn's last event before the agent took the message up; undefined: it did not, and
   * never will.
   */
  async say(message: string, prompt: Prompt): Promise<number | undefined> {
    this.#open.add(message);
    const isTaken = await this.#process?.steer(message, prompt);
    this.#open.delete(message);
    return isTaken === true ? this.#taken.get(message) : undefined;
  }

  /** Takes a message back, where the agent has not taken it up: {@link say} resolves with what became of it. */
  withdraw(message: string): void {
    this.#process?.withdrawSteer(message);
  }

  /** Takes back whatever the agent has not taken up. */
  withdrawAll(): void {
    for (const message of this.#open) this.withdraw(message);
  }

  /** The agent takes it up, after the turn's event of that number. */
  takenUp(message: string, after: number): void {
    this.#taken.set(message, after);
  }
}
