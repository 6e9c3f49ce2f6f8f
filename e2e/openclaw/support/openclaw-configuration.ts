/** An agent of OpenClaw. */
export interface OpenClawAgent {
  /** The agent of Synthesis that is its model. */
  readonly model: string;
  /** OpenClaw's `compat` of that model. */
  readonly compat?: Readonly<Record<string, unknown>>;
}

/** What an OpenClaw of a test is told. */
export interface OpenClawSettings {
  /** Of its daemon. */
  readonly port: number;
  readonly token: string;
  /** Synthesis, without `/v1`, and a key of it. */
  readonly endpoint: string;
  readonly apiKey: string;
  readonly agents: Readonly<Record<string, OpenClawAgent & { readonly workspace: string }>>;
  readonly logFile: string;
}

/** `openclaw.json`: docs/clients/openclaw.md with a daemon that a test can drive, and nothing that leaves the machine. */
export function openClawConfiguration(settings: OpenClawSettings): object {
  const { port, token, endpoint, apiKey, agents, logFile } = settings;
  return {
    update: { checkOnStart: false },
    telemetry: { enabled: false },
    logging: { file: logFile },
    gateway: {
      mode: "local",
      port,
      auth: { mode: "token", token },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    agents: {
      ownership: "explicit",
      defaults: { skipBootstrap: true },
      entries: Object.fromEntries(
        Object.entries(agents).map(([name, { workspace, model }]) => [
          name,
          { workspace, model: { primary: `synthesis/${model}` } },
        ]),
      ),
    },
    models: {
      mode: "merge",
      catalogRefresh: { enabled: false },
      providers: {
        synthesis: {
          baseUrl: `${endpoint}/v1`,
          apiKey,
          api: "openai-completions",
          models: Object.values(agents).map(({ model, compat = {} }) => ({
            id: model,
            name: model,
            compat,
            reasoning: false,
            input: ["text", "image"],
            contextWindow: 200_000,
            maxTokens: 32_000,
          })),
        },
      },
    },
  };
}
