import { WireFailure, type ErrorCode } from "@synthesis/protocol";
import { withDeadline } from "./deadline.ts";

/** Where a worker can be asked for: its workspace's name, and the path by which it is always known. */
interface WorkerPlace {
  readonly workspace: string;
  readonly path: string;
}

/** A worker that did not answer, and why. */
export interface WorkerFailure {
  readonly workspace: string;
  readonly error: unknown;
}

export interface WorkersAnswers<T> {
  readonly answers: readonly T[];
  readonly failures: readonly WorkerFailure[];
}

export interface QueriedWorkersOptions<Worker> {
  /** The workspace that is meant, by name or path: it gets a worker where it has none. Undefined: none is named. */
  readonly named: string | undefined;
  /** Every worker that there is now. */
  running(): Promise<readonly WorkerPlace[]>;
  connect(asked: string): Promise<Worker>;
}

/** How long a worker may take when every one is queried; one that is being started may take longer. In ms. */
const ANSWER_MS = 10_000;

/** The workers that are to be queried: that of one workspace, or every one that there is now. */
export class QueriedWorkers<Worker> {
  readonly #options: QueriedWorkersOptions<Worker>;

  constructor(options: QueriedWorkersOptions<Worker>) {
    this.#options = options;
  }

  /** What each of them answers. Rejects where the one that was named does not answer. */
  async query<T>(query: (worker: Worker) => Promise<T>): Promise<WorkersAnswers<T>> {
    const { named } = this.#options;
    const answerOf = async (asked: string) => query(await this.#options.connect(asked));
    if (named !== undefined) return { answers: [await answerOf(named)], failures: [] };
    const places = await this.#options.running();
    const settled = await Promise.allSettled(
      // By path: the name of a folder below one of `roots` is none that it can be asked for by.
      places.map(async ({ path }) => withDeadline(answerOf(path), ANSWER_MS, "its worker did not answer")),
    );
    return {
      answers: settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
      failures: settled.flatMap((each, index) =>
        each.status === "rejected" ? [{ workspace: places[index]?.workspace ?? "", error: each.reason }] : [],
      ),
    };
  }

  /**
   * The answers of those that have what is looked for: the others answer undefined, or refuse with the code `unknown`.
   * Who failed may have it. Rejects where the one that was named does not answer.
   */
  async findAll<T>(
    unknown: ErrorCode,
    query: (worker: Worker) => Promise<T | undefined>,
  ): Promise<WorkersAnswers<T>> {
    const { answers, failures } = await this.query(async (worker) => {
      try {
        return await query(worker);
      } catch (error) {
        if (error instanceof WireFailure && error.error.code === unknown) return undefined;
        throw error;
      }
    });
    return { answers: answers.filter((answer) => answer !== undefined), failures };
  }

  /**
   * The answer of the first one that has what is looked for, which no other has: that is waited for, and no other
   * worker. Rejects with its refusal, and as {@link findAll}.
   */
  async findFirst<T>(
    unknown: ErrorCode,
    query: (worker: Worker) => Promise<T | undefined>,
  ): Promise<WorkersAnswers<T>> {
    const first = Promise.withResolvers<WorkersAnswers<T>>();
    const all = this.findAll(unknown, async (worker) => {
      try {
        const answer = await query(worker);
        if (answer !== undefined) first.resolve({ answers: [answer], failures: [] });
        return answer;
      } catch (error) {
        if (isRefusal(error) && error.error.code !== unknown) first.reject(error);
        throw error;
      }
    });
    return Promise.race([first.promise, all]);
  }
}

/** Whether a worker says that of what it has; else it may be of any. */
function isRefusal(error: unknown): error is WireFailure {
  return (
    error instanceof WireFailure &&
    error.error.code !== "worker_unavailable" &&
    error.error.code !== "internal_error"
  );
}
