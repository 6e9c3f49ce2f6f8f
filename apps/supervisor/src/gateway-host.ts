import { join } from "node:path";
import type { Settings } from "@synthesis/config";
import { ForkedChild, KeptChild, type CloseReason, type Logger } from "@synthesis/kit";
import type { Endpoint } from "@synthesis/protocol";

export interface GatewayHostOptions {
  readonly settings: Settings;
  readonly controlSocket: string;
  readonly log: Logger;
  /** It serves at `endpoint`. */
  onServing(endpoint: Endpoint): void;
  /** It can never serve as configured. */
  onUnusable(message: string): void;
}

const gatewayEntry = import.meta.resolve("#gateway");

/** Keeps the gateway running. */
export class GatewayHost {
  readonly #options: GatewayHostOptions;
  readonly #kept: KeptChild;
  /** The port of the first generation; the next ones take the same, also where the configuration says 0. */
  #port: number;

  constructor(options: GatewayHostOptions) {
    this.#options = options;
    this.#port = options.settings.server.port;
    this.#kept = new KeptChild({
      title: "the gateway",
      limits: options.settings.limits,
      log: options.log,
      fork: () => this.#fork(),
      onGone: () => {},
    });
  }

  async close(reason: CloseReason): Promise<void> {
    await this.#kept.close(reason);
  }

  #fork(): ForkedChild {
    const { settings, controlSocket, log } = this.#options;
    const { server, keys, agents, defaultAgent, limits, logLevel, stateDir } = settings;
    return new ForkedChild({
      entry: gatewayEntry,
      configuration: {
        server: { ...server, port: this.#port },
        keys,
        agents: Object.fromEntries(
          Object.entries(agents).map(([name, { workspace }]) => [name, { workspace }]),
        ),
        ...(defaultAgent === undefined ? {} : { defaultAgent }),
        controlSocket,
        limits,
        logLevel,
      },
      startMs: limits.startMs,
      closeMs: limits.closeMs,
      compileCacheDir: join(stateDir, "cache"),
      log,
      onMessage: (message) => {
        if (message.type === "unusable") this.#options.onUnusable(message.message);
        if (message.type !== "ready" || message.endpoint === undefined) return;
        this.#port = message.endpoint.port;
        this.#options.onServing(message.endpoint);
      },
    });
  }
}
