import type { Prompt } from "@synthesis/protocol";
import type { Steerable } from "../drivers/agent-process.ts";

/** What else is said to the agent of one turn while that runs. */
export class TurnSteers {
  #process: Steerable | undefined;
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
    const isTaken = await this.#process?.steer(message, prompt);
    return isTaken === true ? this.#taken.get(message) : undefined;
  }

  /** Takes a message back, where the agent has not taken it up: {@link say} resolves with what became of it. */
  withdraw(message: string): void {
    this.#process?.withdrawSteer(message);
  }

  /** The agent takes it up, after the turn's event of that number. */
  takenUp(message: string, after: number): void {
    this.#taken.set(message, after);
  }
}
