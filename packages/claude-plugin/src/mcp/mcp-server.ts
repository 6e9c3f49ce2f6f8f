import { JsonRpcCode, JsonRpcError, parseMessage, type JsonRpcMessage, type RequestId } from "./json-rpc.ts";

/** The revisions of MCP in which what is used here means the same; the first is offered to a client of another. */
const REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/** A tool as `tools/list` shows it. */
export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  /** A JSON Schema. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** What a call of a tool says to its caller. */
export interface ToolResult {
  readonly text: string;
  readonly isError?: boolean;
}

/** What a server is, and what it does. */
export interface McpServerOptions {
  readonly name: string;
  readonly version: string;
  readonly instructions?: string;
  /** Capabilities beside tools. */
  readonly experimental?: Readonly<Record<string, object>>;
  readonly tools: readonly ToolDescription[];
  /** Also called for tools that are not listed. `signal` aborts when the caller takes its call back. */
  readonly onCall: (
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ) => ToolResult | Promise<ToolResult>;
  /** Notifications beside those of MCP itself. */
  readonly onNotification: (method: string, params: Readonly<Record<string, unknown>>) => void;
  /** Writes one line. */
  readonly write: (line: string) => void;
}

/** The server's side of MCP as far as a plugin of Claude Code needs it: tools and notifications, over lines of text. */
export class McpServer {
  /** Resolves when the client takes notifications. */
  readonly initialized: Promise<void>;
  readonly #options: McpServerOptions;
  readonly #calls = new Map<RequestId, AbortController>();
  readonly #initialized = Promise.withResolvers<void>();

  constructor(options: McpServerOptions) {
    this.#options = options;
    this.initialized = this.#initialized.promise;
  }

  /** Takes one line of the client's. Never throws. */
  receive(line: string): void {
    let message: JsonRpcMessage;
    try {
      message = parseMessage(line);
    } catch (error) {
      return this.#fail(null, error);
    }
    const { id } = message;
    if (id === undefined) this.#heed(message);
    else {
      this.#answer(id, message).then(
        (result) => result && this.#send({ id, result }),
        (error: unknown) => this.#fail(id, error),
      );
    }
  }

  /** Only to be called when {@link initialized} has resolved. */
  notify(method: string, params: object): void {
    this.#send({ method, params });
  }

  #heed({ method, params }: JsonRpcMessage): void {
    if (method === "notifications/initialized") this.#initialized.resolve();
    else if (method === "notifications/cancelled") this.#calls.get(params["requestId"] as RequestId)?.abort();
    else this.#options.onNotification(method, params);
  }

  /** Undefined: the caller takes no answer any more. */
  async #answer(id: RequestId, { method, params }: JsonRpcMessage): Promise<object | undefined> {
    switch (method) {
      case "initialize":
        return this.#introduction(params["protocolVersion"]);
      case "ping":
        return {};
      case "tools/list":
        return { tools: this.#options.tools };
      case "tools/call":
        return this.#call(id, params);
      default:
        // Also of `server/discover`: to a server of a revision that has it Claude Code offers no channel.
        throw new JsonRpcError(JsonRpcCode.methodNotFound, `there is no method "${method}" here`);
    }
  }

  #introduction(wanted: unknown): object {
    const { name, version, instructions, experimental } = this.#options;
    return {
      protocolVersion: REVISIONS.find((revision) => revision === wanted) ?? REVISIONS[0],
      capabilities: { tools: {}, ...(experimental === undefined ? {} : { experimental }) },
      serverInfo: { name, version },
      ...(instructions === undefined ? {} : { instructions }),
    };
  }

  async #call(id: RequestId, params: JsonRpcMessage["params"]): Promise<object | undefined> {
    const { name, arguments: args = {} } = params;
    if (typeof name !== "string" || typeof args !== "object" || args === null) {
      throw new JsonRpcError(
        JsonRpcCode.invalidParams,
        "tools/call needs a name, and an object as arguments",
      );
    }
    const call = new AbortController();
    this.#calls.set(id, call);
    try {
      const { text, isError } = await this.#options.onCall(name, { ...args }, call.signal);
      if (call.signal.aborted) return undefined;
      return { content: [{ type: "text", text }], ...(isError ? { isError } : {}) };
    } finally {
      this.#calls.delete(id);
    }
  }

  #fail(id: RequestId | null, error: unknown): void {
    const code = error instanceof JsonRpcError ? error.code : JsonRpcCode.internalError;
    this.#send({ id, error: { code, message: error instanceof Error ? error.message : String(error) } });
  }

  #send(message: object): void {
    this.#options.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }
}
