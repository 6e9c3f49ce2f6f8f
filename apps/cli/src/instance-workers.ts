import { SessionClient, withDeadline } from "@synthesis/kit";
import type { ControlClient } from "./control-client.ts";

export interface InstanceAnswers<T> {
  readonly answers: readonly T[];
  /** Who did not answer, and why. */
  readonly failures: readonly { readonly workspace: string; readonly message: string }[];
}

/** How long a worker may take when every one is asked, in ms. */
const ANSWER_MS = 10_000;

/** The workers of a running instance: that of one workspace, or each that there is now. */
export class InstanceWorkers {
  readonly #control: ControlClient;
  readonly #workspace: string | undefined;

  /** `workspace` is asked for by name or path, and gets a worker where it has none. */
  constructor(control: ControlClient, workspace: string | undefined) {
    this.#control = control;
    this.#workspace = workspace;
  }

  /** Asks each of them. Rejects where the one that was named does not answer. */
  async ask<T>(ask: (workspace: string, client: SessionClient) => Promise<T>): Promise<InstanceAnswers<T>> {
    const answerOf = async (asked: string) => {
      const { workspace, socketPath } = await this.#control.ensure(asked);
      return ask(workspace, new SessionClient({ socketPath }));
    };
    if (this.#workspace !== undefined) return { answers: [await answerOf(this.#workspace)], failures: [] };
    const { workers } = await this.#control.status();
    const settled = await Promise.allSettled(
      workers.map(async ({ path }) => withDeadline(answerOf(path), ANSWER_MS, "its worker did not answer")),
    );
    return {
      answers: settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
      failures: settled.flatMap((each, index) =>
        each.status === "rejected"
          ? [{ workspace: workers[index]?.workspace ?? "", message: messageOf(each.reason) }]
          : [],
      ),
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
