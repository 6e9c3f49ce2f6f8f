import { sleep, type Logger } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import type { SupervisorClient } from "./supervisor-client.ts";
import { WorkerLink } from "./worker-link.ts";

const RETRY_PAUSE_MS = 50;
const MAX_NAMES = 1_000;

/** The links to the workers, one per workspace, opened when first needed and again when lost. */
export class WorkerPool {
  readonly #supervisor: SupervisorClient;
  readonly #startMs: number;
  readonly #log: Logger;
  readonly #links = new Map<string, WorkerLink>();
  /** What a workspace was asked for by, and its name: the supervisor is asked once for each. Bounded. */
  readonly #names = new Map<string, string>();
  readonly #opening = new Map<string, Promise<WorkerLink>>();

  constructor(supervisor: SupervisorClient, startMs: number, log: Logger) {
    this.#supervisor = supervisor;
    this.#startMs = startMs;
    this.#log = log;
  }

  /** An open link to the worker of the asked workspace. Rejects with a `WireFailure`. */
  async link(asked: string): Promise<WorkerLink> {
    const known = this.#links.get(this.#names.get(asked) ?? asked);
    if (known?.isOpen) return known;
    const opening = this.#opening.get(asked) ?? this.#open(asked).finally(() => this.#opening.delete(asked));
    this.#opening.set(asked, opening);
    return opening;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /** The supervisor may name a worker that died this moment: it is asked again until the time is up. */
  async #open(asked: string): Promise<WorkerLink> {
    const deadline = performance.now() + this.#startMs;
    for (;;) {
      const answer = await this.#supervisor.ensure(asked);
      if (this.#names.size >= MAX_NAMES) this.#names.clear();
      this.#names.set(asked, answer.workspace);
      const known = this.#links.get(answer.workspace);
      if (known?.isOpen && known.epoch === answer.epoch) return known;
      try {
        return await this.#keep(await WorkerLink.open(answer));
      } catch (cause) {
        this.#log.warn("worker_link.not_opened", {
          workspace: answer.workspace,
          epoch: answer.epoch,
          error: String(cause),
        });
        if (performance.now() > deadline) {
          throw new WireFailure(
            "worker_unavailable",
            `the worker of workspace "${answer.workspace}" does not answer`,
            { retryAfterMs: 5_000, cause },
          );
        }
      }
      await sleep(RETRY_PAUSE_MS);
    }
  }

  /** One link per worker, also when it was asked for under two names at once. */
  async #keep(link: WorkerLink): Promise<WorkerLink> {
    const { workspace, epoch } = link;
    const known = this.#links.get(workspace);
    if (known?.isOpen && known.epoch === epoch) {
      await link.close();
      return known;
    }
    this.#links.set(workspace, link);
    this.#log.info("worker_link.opened", { workspace, epoch });
    void link.closed.then(() => {
      this.#log.info("worker_link.lost", { workspace, epoch });
      if (this.#links.get(workspace) === link) this.#links.delete(workspace);
    });
    return link;
  }
}
