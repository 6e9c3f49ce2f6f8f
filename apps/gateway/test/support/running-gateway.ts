import { apiKeyDigest, Limits } from "@synthesis/config";
import { createLogger } from "@synthesis/kit";
import { tempFolder } from "@synthesis/testkit";
import { Agent, fetch, type RequestInit, type Response } from "undici";
import { GatewayConfiguration } from "../../src/gateway-configuration.ts";
import { Gateway } from "../../src/gateway.ts";
import type { SessionQueues } from "../../src/turn/session-queues.ts";
import { Events } from "./events.ts";
import { FakeSupervisor } from "./fake-supervisor.ts";
import { FakeWorker } from "./fake-worker.ts";

export const key = "sk-the-right-key-of-tests";
export const clawKey = "sk-the-key-that-openclaw-has";

export interface GatewayChanges {
  readonly limits?: Partial<Limits>;
  readonly server?: Partial<GatewayConfiguration["server"]>;
}

export interface ChatOptions {
  readonly headers?: Record<string, string>;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** The real gateway in this process, with a fake supervisor and a fake worker of workspace `demo`. */
export class RunningGateway {
  readonly worker: FakeWorker;
  readonly supervisor: FakeSupervisor;
  readonly #configuration: GatewayConfiguration;
  readonly #folder: TempFolder;
  readonly #fakes: AsyncDisposableStack;
  /** No connection is kept for later, so that each test leaves none. */
  readonly #agent = new Agent({ pipelining: 0 });
  #generation = 1;
  #epoch = 1;
  #gateway: Gateway;
  #url = "";
  #closed: Promise<void> | undefined;

  private constructor(
    parts: Pick<RunningGateway, "worker" | "supervisor">,
    configuration: GatewayConfiguration,
    folder: TempFolder,
    fakes: AsyncDisposableStack,
  ) {
    this.worker = parts.worker;
    this.supervisor = parts.supervisor;
    this.#configuration = configuration;
    this.#folder = folder;
    this.#fakes = fakes;
    this.#gateway = new Gateway(configuration, createLogger("error"));
  }

  static async start({ limits: some = {}, server: more = {} }: GatewayChanges = {}): Promise<RunningGateway> {
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
        echo: { workspace: "demo", driver: "headless" },
        other: { workspace: "demo", driver: "command" },
      },
      defaultAgent: "echo",
      controlSocket: folder.join("s.sock"),
      generation: 1,
      fence: 1,
      limits: Limits.parse({ startMs: 2_000, ...some }),
      logLevel: "error",
    });
    const running = new RunningGateway({ worker, supervisor }, configuration, folder, stack);
    running.#url = (await running.#gateway.start()).url;
    return new RunningGateway.#Ready(running, stack.move());
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

  /** Ends the gateway, then the fakes. Idempotent. */
  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
    await this.#agent.destroy();
  }
}
