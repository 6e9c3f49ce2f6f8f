import { sleep, type Logger } from "@synthesis/kit";
import { WireFailure, type Attach } from "@synthesis/protocol";
import type { AccountHolds } from "./account-holds.ts";
import type { SupervisorClient } from "./supervisor-client.ts";
import { WorkerLink } from "./worker-link.ts";

const RETRY_PAUSE_MS = 50;
/** Between two questions whether a worker that drains by itself has been replaced. */
const DRAIN_PAUSE_MS = 500;
const MAX_NAMES = 1_000;

export interface WorkerPoolOptions {
  readonly supervisor: SupervisorClient;
  /** In ms: how long a worker may take to start, and to answer when it has. */
  readonly limits: { readonly startMs: number; readonly hangMs: number };
  /** Which gateway this is. */
  readonly gateway: Pick<Attach, "gateway" | "fence">;
  readonly holds: AccountHolds;
  readonly log: Logger;
}

/** A worker was told to end by somebody else than its supervisor. */
class StillDraining extends Error {}

/** The links to the workers, one per workspace, opened when first needed and again when lost. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #links = new Map<string, WorkerLink>();
  /** Every link that is open, also to workers that are being replaced. */
  readonly #open = new Set<WorkerLink>();
  /** What a workspace was asked for by, and its name: the supervisor is asked once for each. Bounded. */
  readonly #names = new Map<string, string>();
  readonly #opening = new Map<string, Promise<WorkerLink>>();
  #state: "open" | "closed" = "open";

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** The links that are open. */
  get open(): readonly WorkerLink[] {
    return [...this.#open].filter(({ isOpen }) => isOpen);
  }

  /** An open link to the worker of the asked workspace, and not to `drained`, which is ending. Rejects with a `WireFailure`. */
  async link(asked: string, drained?: WorkerLink): Promise<WorkerLink> {
    const known = this.#links.get(this.#names.get(asked) ?? asked);
    if (known?.isOpen && known !== drained) return known;
    const after = drained?.epoch ?? 0;
    const name = `${asked} ${after}`;
    const opening =
      this.#opening.get(name) ?? this.#connect(asked, after).finally(() => this.#opening.delete(name));
    this.#opening.set(name, opening);
    return opening;
  }

  async close(): Promise<void> {
    this.#state = "closed";
    await Promise.all([...this.#open].map((link) => link.close()));
  }

  /** The supervisor may name a worker that died, or began to drain, this moment: it is asked again until the time is up. */
  async #connect(asked: string, after: number): Promise<WorkerLink> {
    const { supervisor, limits, gateway, holds, log } = this.#options;
    const deadline = performance.now() + limits.startMs;
    for (;;) {
      const answer = await supervisor.ensure(asked);
      if (this.#names.size >= MAX_NAMES) this.#names.clear();
      this.#names.set(asked, answer.workspace);
      const known = this.#links.get(answer.workspace);
      if (known?.isOpen && known.epoch === answer.epoch && known.epoch > after) return known;
      try {
        if (answer.epoch <= after)
          throw new StillDraining(`epoch ${after} drains, and its supervisor does not know`);
        const holder = Symbol(answer.workspace);
        const onAccountHeld = (until: number | undefined) => holds.set(holder, until);
        const answerMs = limits.hangMs;
        return await this.#keep(await WorkerLink.open({ answer, gateway, answerMs, onAccountHeld }));
      } catch (cause) {
        if (!(cause instanceof StillDraining))
          log.warn("worker_link.not_opened", {
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
      await sleep(answer.epoch <= after ? DRAIN_PAUSE_MS : RETRY_PAUSE_MS);
    }
  }

  /** One link per worker, also when it was asked for under two names at once. */
  async #keep(link: WorkerLink): Promise<WorkerLink> {
    const { workspace, epoch } = link;
    const known = this.#links.get(workspace);
    if (this.#state === "closed" || (known?.isOpen && known.epoch === epoch)) {
      await link.close();
      return known ?? link;
    }
    this.#links.set(workspace, link);
    this.#open.add(link);
    this.#options.log.info("worker_link.opened", { workspace, epoch });
    void link.closed.then(() => {
      this.#options.log.info("worker_link.lost", { workspace, epoch });
      this.#open.delete(link);
      if (this.#links.get(workspace) === link) this.#links.delete(workspace);
    });
    return link;
  }
}
