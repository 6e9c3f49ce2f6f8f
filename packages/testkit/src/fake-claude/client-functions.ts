import type { ControlBody, FakeHost } from "./fake-host.ts";

/** A call of the model's. */
export interface FunctionCall {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The functions that the host offers as an MCP server, and its say on each call of one. */
export class ClientFunctions {
  readonly #host: FakeHost;
  #server: string | undefined;
  #asksBefore = false;
  #names: readonly string[] = [];
  #ready: Promise<void> = Promise.resolve();
  #id = 0;

  constructor(host: FakeHost) {
    this.#host = host;
  }

  /** Settles when the functions are known; no turn begins before. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** As the model calls them. */
  get names(): readonly string[] {
    return this.#names.map((name) => `mcp__${this.#server}__${name}`);
  }

  /** As `initialize` says. */
  connect({ sdkMcpServers, hooks }: ControlBody): void {
    this.#asksBefore = hooks !== undefined;
    if (!Array.isArray(sdkMcpServers) || typeof sdkMcpServers[0] !== "string") return;
    this.#server = sdkMcpServers[0];
    const connect = async () => {
      await this.#call("initialize", { protocolVersion: "2025-11-25", capabilities: {} });
      await this.#send({ method: "notifications/initialized", jsonrpc: "2.0" });
      await this.#list();
    };
    this.#ready = connect();
  }

  /** The host says that they have changed. */
  refresh(): void {
    this.#ready = this.#ready.then(() => this.#list());
  }

  /** What becomes of a call. */
  async decide({ id, name, input }: FunctionCall): Promise<"defer" | "deny" | "unknown"> {
    if (!this.names.includes(name)) return "unknown";
    if (!this.#asksBefore) return "deny";
    const { hookSpecificOutput } = await this.#host.ask({
      subtype: "hook_callback",
      callback_id: "call",
      input: { hook_event_name: "PreToolUse", tool_name: name, tool_input: input, tool_use_id: id },
      tool_use_id: id,
    });
    const isDeferred = JSON.stringify(hookSpecificOutput ?? {}).includes('"permissionDecision":"defer"');
    return isDeferred ? "defer" : "deny";
  }

  async #list(): Promise<void> {
    const { tools } = await this.#call("tools/list", {});
    this.#names = Array.isArray(tools) ? tools.map((tool: { name: string }) => tool.name) : [];
  }

  async #call(method: string, params: object): Promise<ControlBody> {
    return this.#send({ method, params, jsonrpc: "2.0", id: this.#id++ });
  }

  async #send(message: object): Promise<ControlBody> {
    const answer = await this.#host.ask({ subtype: "mcp_message", server_name: this.#server, message });
    const { result }: { result?: ControlBody } = answer["mcp_response"] ?? {};
    return result ?? {};
  }
}
