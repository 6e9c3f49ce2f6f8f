import { apiKeyDigest, Limits } from "@synthesis/config";
import { createLogger } from "@synthesis/kit";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { Agent, fetch, type RequestInit, type Response } from "undici";
import { GatewayConfiguration } from "../../src/gateway-configuration.ts";
import { Gateway } from "../../src/gateway.ts";
import type { LiveTurns } from "../../src/turn/live-turns.ts";
import type { SessionQueues } from "../../src/turn/session-queues.ts";
import { Events } from "./events.ts";
import { FakeSupervisor } from "./fake-supervisor.ts";
import { FakeWorker } from "./fake-worker.ts";

export const key = "sk-the-right-key-of-tests";
export const clawKey = "sk-the-key-that-openclaw-has";

export interface GatewayChanges {
  readonly limits?: Partial<Limits>;
  readonly server?: Partial<GatewayConfiguration["server"]>;
  /** Of agent `echo`. */
  readonly asks?: Partial<GatewayConfiguration["agents"][string]["asks"]>;
}

export interface ChatOptions {
  readonly headers?: Record<string, string>;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** The real gateway in this process, with a fake supervisor and a fake worker of workspace `demo`. */
export class RunningGateway {
  /** The worker of epoch 1. */
  readonly worker: FakeWorker;
  readonly supervisor: FakeSupervisor;
  readonly #configuration: GatewayConfiguration;
  readonly #fakes: AsyncDisposableStack;
  readonly #folder: TempFolder;
  /** No connection is kept for later, so that each test leaves none. */
  readonly #agent = new Agent({ pipelining: 0 });
  #gateway: Gateway;
  #url: string;
  #epoch = 1;
  #closed: Promise<void> | undefined;

  private constructor(
    parts: Pick<RunningGateway, "worker" | "supervisor" | "url">,
    gateway: Gateway,
    configuration: GatewayConfiguration,
    folder: TempFolder,
    fakes: AsyncDisposableStack,
  ) {
    this.worker = parts.worker;
    this.supervisor = parts.supervisor;
    this.#url = parts.url;
    this.#gateway = gateway;
    this.#configuration = configuration;
    this.#folder = folder;
    this.#fakes = fakes;
  }

  static async start({
    limits: some = {},
    server: more = {},
    asks = {},
  }: GatewayChanges = {}): Promise<RunningGateway> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder());
    const answer = { workspace: "demo", epoch: 1, socketPath: folder.join("w1.sock") };
    const worker = stack.adopt(await FakeWorker.listen(answer), (listening) => listening.close());
    const supervisor = stack.adopt(new FakeSupervisor(() => answer), (listening) => listening.close());
    await supervisor.listen(folder.join("s.sock"));
    const configuration = GatewayConfiguration.parse({
      server: { host: "127.0.0.1", port: 0, allowedHosts: [], ...more },
      keys: [
        { name: "default", sha256: apiKeyDigest(key), client: "generic" },
        { name: "claw", sha256: apiKeyDigest(clawKey), client: "openclaw" },
      ],
      agents: {
        echo: { workspace: "demo", driver: "headless", asks },
        other: { workspace: "demo", driver: "command", asks: {} },
        own: { workspace: "demo", driver: "headless", instructions: "ignore", asks: {} },
      },
      defaultAgent: "echo",
      controlSocket: folder.join("s.sock"),
      generation: 1,
      fence: 1,
      limits: Limits.parse({ startMs: 2_000, ...some }),
      logLevel: "error",
    });
    const gateway = new Gateway(configuration, createLogger("error"));
    const { url } = await gateway.start();
    return new RunningGateway({ worker, supervisor, url }, gateway, configuration, folder, stack.move());
  }

  get url(): string {
    return this.#url;
  }

  get queues(): SessionQueues {
    return this.#gateway.queues;
  }

  get turns(): LiveTurns {
    return this.#gateway.turns;
  }

  /** Ends the gateway, and starts the next one. */
  async restart(): Promise<void> {
    await this.#gateway.close({ code: "closing", message: "the test ends it" });
    const generation = this.#configuration.generation + 1;
    this.#gateway = new Gateway(
      { ...this.#configuration, generation, fence: generation },
      createLogger("error"),
    );
    this.#url = (await this.#gateway.start()).url;
  }

  async drain(deadlineMs: number): Promise<void> {
    await this.#gateway.drain(deadlineMs);
  }

  /** The worker of the next epoch, whom the supervisor names from now on. */
  async nextWorker(): Promise<FakeWorker> {
    const epoch = ++this.#epoch;
    const answer = { workspace: "demo", epoch, socketPath: this.#folder.join(`w${epoch}.sock`) };
    const worker = this.#fakes.adopt(await FakeWorker.listen(answer), (listening) => listening.close());
    this.supervisor.ensure = () => answer;
    return worker;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Any request; no key unless `init` has one. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { dispatcher: this.#agent, ...init });
  }

  /** A chat request; `prompt` as one user message, or `body` as it is. */
  async chat(prompt: string | object, options: ChatOptions = {}): Promise<Response> {
    const body =
      typeof prompt === "string"
        ? { model: "echo", messages: [{ role: "user", content: prompt }] }
        : { model: "echo", ...prompt };
    return this.fetch("/v1/chat/completions", {
      method: "POST",
      headers: {
        authorization: `Bearer ${options.key ?? key}`,
        "content-type": "application/json",
        ...options.headers,
      },
      body: JSON.stringify(body),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }

  /** A streamed chat request, once its answer has begun. */
  async stream(
    prompt: string,
    { body = {}, ...options }: ChatOptions & { readonly body?: object } = {},
  ): Promise<{ response: Response; events: Events }> {
    const messages = [{ role: "user", content: prompt }];
    const response = await this.chat({ messages, stream: true, ...body }, options);
    return { response, events: new Events(response) };
  }

  /** A request with the key, to `path`. */
  async ask(method: string, path: string, options: ChatOptions = {}): Promise<Response> {
    const { headers, signal } = options;
    return this.fetch(path, {
      method,
      headers: { authorization: `Bearer ${options.key ?? key}`, ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Ends the gateway, then the fakes. Idempotent. */
  async close(): Promise<void> {
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    await this.#gateway.close({ code: "closing", message: "the test ends it" });
    await this.#fakes.disposeAsync();
    await this.#agent.destroy();
  }
}
