import type { ClientTurn } from "../client/client-turn.ts";
import { SessionClient } from "../client/session-client.ts";
import type { FaultRecord } from "../faults/fault.ts";
import { Nemesis } from "../faults/nemesis.ts";
import { ToxicProxy } from "../faults/toxic-proxy.ts";
import { workspacesOf, type Workspace } from "../instance/configuration.ts";
import { Instance } from "../instance/instance.ts";
import { findRemains } from "../instance/find-remains.ts";
import type { Evidence, Remains, Violation } from "../oracle/evidence.ts";
import { judge } from "../oracle/judge.ts";
import { readJournals } from "../oracle/read-journals.ts";
import { Random } from "../random.ts";
import { StandInLedger } from "../ledger/stand-in-ledger.ts";
import { deadlines } from "./deadlines.ts";
import { RunFolder } from "./run-folder.ts";
import type { RunOptions } from "./run-options.ts";

/** How a run went. */
export interface RunReport {
  readonly evidence: Evidence;
  readonly violations: readonly Violation[];
  readonly kills: number;
  /** The run's logs, where they were kept. */
  readonly folder: string | undefined;
}

const PROGRESS_MS = 5_000;
/** How long turns may still run when their clients are gone, in ms. */
const IDLE_MS = 40_000;

/** One run: clients and nemesis at a running instance, then proof that it is well, then the verdict. */
export class NemesisRun {
  readonly #options: RunOptions;
  readonly #say: (line: string) => void;
  readonly #clients: ClientTurn[] = [];
  readonly #faults: FaultRecord[] = [];

  constructor(options: RunOptions, say: (line: string) => void) {
    this.#options = options;
    this.#say = say;
  }

  async run(): Promise<RunReport> {
    const { workspaces: count, real, keep } = this.#options;
    await using folder = await RunFolder.make();
    await using standIn = real > 0 ? await StandInLedger.start(folder.path) : undefined;
    const workspaces = workspacesOf(count, real);
    this.#say(`logs: ${folder.path}`);
    const claudeEnv = standIn === undefined ? {} : { claudeEnv: standIn.environment };
    const instance = await Instance.start({ folder: folder.path, workspaces, ...claudeEnv });
    const control = new Set(workspaces.slice(count - real - 1, count - real).map(({ name }) => name));
    let kills: number;
    let remains: Remains;
    try {
      kills = await this.#storm(instance, folder, control);
    } finally {
      remains = await findRemains(instance, IDLE_MS);
    }
    const evidence = this.#evidence(instance, control, remains);
    const violations = judge(evidence);
    for (const violation of violations) folder.write("violations", violation);
    const isKept = keep || violations.length > 0;
    if (isKept) folder.keep();
    return { evidence, violations, kills, folder: isKept ? folder.path : undefined };
  }

  async #storm(instance: Instance, folder: RunFolder, control: ReadonlySet<string>): Promise<number> {
    const { seed, kills, minutes, orphanMs } = this.#options;
    await using proxy = await ToxicProxy.start(instance.port);
    const random = new Random(seed);
    const onFault = (record: FaultRecord) => {
      this.#faults.push(record);
      folder.write("faults", record);
    };
    const nemesis = new Nemesis({ instance, proxy, random: random.fork(), control, orphanMs, onFault });
    const clients = instance.workspaces.flatMap((workspace) =>
      this.#sessionsOf(workspace, { instance, proxy, random, folder }),
    );
    const over = new AbortController();
    const progress = setInterval(() => this.#report(nemesis.kills), PROGRESS_MS);
    const busy = clients.map(async (client) => client.run(over.signal));
    await nemesis.run(kills, AbortSignal.timeout(minutes * 60_000));
    over.abort();
    await Promise.all(busy);
    clearInterval(progress);
    this.#say("the nemesis is done: every session has one more turn, which has no reason to fail");
    await this.#prove(clients);
    return nemesis.kills;
  }

  /** Half of the sessions are behind the proxy. */
  #sessionsOf(
    workspace: Workspace,
    {
      instance,
      proxy,
      random,
      folder,
    }: { instance: Instance; proxy: ToxicProxy; random: Random; folder: RunFolder },
  ): readonly SessionClient[] {
    return Array.from({ length: this.#options.sessions }, (_, index) => {
      const port = index % 2 === 0 ? instance.port : proxy.port;
      return new SessionClient({
        door: { port, host: `127.0.0.1:${instance.port}`, key: instance.key },
        workspace,
        session: `${workspace.name}.s${index + 1}`,
        random: random.fork(),
        patienceMs: deadlines.patienceMs,
        onTurn: (turn) => {
          this.#clients.push(turn);
          folder.write("clients", turn);
        },
      });
    });
  }

  async #prove(clients: readonly SessionClient[]): Promise<void> {
    await Promise.all(clients.map(async (client) => client.prove()));
  }

  #report(kills: number): void {
    const answered = this.#clients.filter(({ attempts }) => attempts.at(-1)?.outcome.kind === "completed");
    this.#say(
      `${kills} kills, ${this.#faults.length} faults, ${this.#clients.length} turns (${answered.length} answered)`,
    );
  }

  #evidence(instance: Instance, control: ReadonlySet<string>, remains: Remains): Evidence {
    const resumable = instance.workspaces.filter(({ kind }) => kind === "headless-resume");
    return {
      clients: this.#clients,
      journal: readJournals(instance.stateDir),
      ledger: instance.ledger.read(),
      faults: this.#faults,
      remains,
      control,
      resumable: new Set(resumable.map(({ name }) => name)),
      deadlines,
    };
  }
}
