import { join } from "node:path";
import type { AgentSettings, Settings } from "@synthesis/config";
import {
  ForkedChild,
  KeptChild,
  UnusableError,
  type CloseReason,
  type ListeningHandle,
  type Logger,
} from "@synthesis/kit";
import {
  WireFailure,
  type Endpoint,
  type GatewayRestartAnswer,
  type StatusAnswer,
} from "@synthesis/protocol";
import type { Epochs } from "./epochs.ts";

export interface GatewayHostOptions {
  readonly settings: Settings;
  /** Tells this instance's processes from those of another. */
  readonly instance: string;
  readonly epochs: Epochs;
  readonly controlSocket: string;
  readonly log: Logger;
}

const REPLACED: CloseReason = { code: "restarting", message: "another gateway has taken over" };

const gatewayEntry = import.meta.resolve("#gateway");

/**
 * Keeps the gateway running; each process is a generation. Its listening socket outlives them: the first
 * generation makes it, this host holds it without accepting, and each later one listens on it, so that between
 * two generations connections wait in the kernel's backlog.
 */
export class GatewayHost {
  readonly #options: GatewayHostOptions;
  readonly #firstServes = Promise.withResolvers<Endpoint>();
  readonly #stop = new AbortController();
  /** Generations that are not known to be dead. */
  readonly #live = new Set<number>();
  #current: KeptChild | undefined;
  /** During a restart: the one that is to take over, then the one that was taken over from. */
  #successor: KeptChild | undefined;
  #retired: KeptChild | undefined;
  #restarting: Promise<GatewayRestartAnswer> | undefined;
  #earlierRestarts = 0;
  #endpoint: Endpoint | undefined;
  #listening: ListeningHandle | undefined;

  constructor(options: GatewayHostOptions) {
    this.#options = options;
  }

  /** Resolves when the first generation serves; rejects with an `UnusableError` where none can as configured. */
  async start(): Promise<Endpoint> {
    this.#current = this.#keep();
    return this.#firstServes.promise;
  }

  /** How it is, for a person; undefined before its start. */
  report(): StatusAnswer["gateway"] {
    if (this.#current === undefined) return undefined;
    const { state, pid, restarts, nextAttemptMs } = this.#current;
    return {
      state,
      restarts: this.#earlierRestarts + restarts,
      ...(pid === undefined ? {} : { pid }),
      ...(this.#retired?.pid === undefined ? {} : { drainingPid: this.#retired.pid }),
      ...(nextAttemptMs === undefined ? {} : { nextAttemptMs }),
      ...(this.#endpoint === undefined ? {} : { endpoint: this.#endpoint }),
    };
  }

  /**
   * Starts a new gateway and, once that serves, drains and ends the old one. Where the new one does not serve,
   * the old one stays. Called again meanwhile it is the same restart, and the earliest end of the drain counts.
   * Rejects with a `WireFailure`.
   */
  async restart(drainMs: number): Promise<GatewayRestartAnswer> {
    if (this.#restarting === undefined) {
      this.#restarting = this.#replace(drainMs).finally(() => (this.#restarting = undefined));
    } else void this.#retired?.close(REPLACED, drainMs);
    return this.#restarting;
  }

  /** Ends it for good, with `drainMs` for the answers it gives. Called again, the earliest end counts. */
  async close(reason: CloseReason, drainMs = 0): Promise<void> {
    this.#stop.abort();
    this.#listening?.close(); // once the gateway has closed its own too, connections are refused
    this.#listening = undefined;
    const all = [this.#current, this.#successor, this.#retired].filter((kept) => kept !== undefined);
    await Promise.all(all.map(async (kept) => kept.close(reason, drainMs)));
  }

  async #replace(drainMs: number): Promise<GatewayRestartAnswer> {
    await this.#firstServes.promise; // it makes the socket that all the others inherit
    if (this.#stop.signal.aborted) throw new WireFailure("shutting_down", "Synthesis is being stopped");
    const successor = this.#keep();
    this.#successor = successor;
    try {
      await successor.whenServing();
      this.#retired = this.#current;
      this.#current = successor;
      this.#earlierRestarts += this.#retired?.restarts ?? 0;
      await this.#retired?.close(REPLACED, drainMs);
    } catch (error) {
      await successor.close({ code: "not_serving", message: "it does not take over" });
      throw error;
    } finally {
      this.#successor = undefined;
      this.#retired = undefined;
    }
    return successor.pid === undefined ? {} : { pid: successor.pid };
  }

  #keep(): KeptChild {
    const { settings, log } = this.#options;
    return new KeptChild({
      title: "the gateway",
      limits: settings.limits,
      log,
      fork: () => this.#fork(),
      onGone: () => {},
    });
  }

  #fork(): ForkedChild {
    const { settings, instance, epochs, controlSocket, log } = this.#options;
    const { server, keys, agents, defaultAgent, limits, logLevel, stateDir } = settings;
    const generation = epochs.next();
    this.#live.add(generation);
    const child = new ForkedChild({
      entry: gatewayEntry,
      configuration: {
        server: { ...server, port: this.#endpoint?.port ?? server.port },
        keys,
        agents: Object.fromEntries(Object.entries(agents).map(([name, agent]) => [name, publicPart(agent)])),
        ...(defaultAgent === undefined ? {} : { defaultAgent }),
        controlSocket,
        generation,
        fence: Math.min(...this.#live),
        limits,
        logLevel,
      },
      listening: this.#listening,
      mark: `${instance}/gateway/${generation}`,
      startMs: limits.startMs,
      silentMs: limits.hangMs,
      closeMs: limits.closeMs,
      compileCacheDir: join(stateDir, "cache"),
      log,
      onMessage: (message, listening) => {
        if (message.type === "unusable") this.#onUnusable(message.message);
        if (message.type === "ready") this.#onServing(message.endpoint, listening);
      },
    });
    void child.closed.then(() => this.#live.delete(generation));
    return child;
  }

  #onServing(endpoint: Endpoint | undefined, listening: ListeningHandle | undefined): void {
    this.#listening ??= listening;
    if (endpoint === undefined) return;
    this.#endpoint = endpoint;
    this.#firstServes.resolve(endpoint);
  }

  #onUnusable(message: string): void {
    this.#options.log.error("gateway.unusable", { message });
    this.#firstServes.reject(new UnusableError(message));
  }
}

/** What the gateway has to know of an agent: nothing of what it is given to work with. */
function publicPart(agent: AgentSettings): object {
  const { workspace, driver } = agent;
  const { mode, by } = agent.asks;
  const always = { workspace, driver, asks: { mode, by } };
  if (agent.driver === "command") return always;
  const { model } = agent;
  if (agent.driver === "channel") return { ...always, model };
  const { instructions } = agent;
  return { ...always, model, instructions };
}
