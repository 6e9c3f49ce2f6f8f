import type { TurnEvents } from "../agent-process.ts";
import type { KeepRules } from "../claude/keep-rules.ts";
import { ClaudeAsks } from "./claude-asks.ts";
import { ControlRequest, type LineOf } from "./claude-line.ts";
import { callDecision, controlAnswer, refusal } from "./claude-message.ts";
import type { ClientServer } from "./client-server.ts";
import { FILE_SERVER, FileServer } from "./file-server.ts";
import type { McpMessage } from "./mcp-message.ts";
import type { RunningTurn } from "./running-turn.ts";

export interface ControlRequestsOptions {
  /** The folder outside of which nothing is allowed for good. */
  readonly workspacePath: string;
  readonly keepRules: KeepRules;
  /** Of the client's functions. */
  readonly server: ClientServer;
  /** The turn that runs. */
  readonly turn: () => RunningTurn | undefined;
  readonly write: (line: string) => void;
}

/** What one Claude process wants of its client beside the conversation, and what it is answered. */
export class ControlRequests {
  readonly #options: ControlRequestsOptions;
  readonly #asks: ClaudeAsks;
  readonly #files: FileServer;

  constructor(options: ControlRequestsOptions) {
    this.#options = options;
    this.#asks = new ClaudeAsks(options.write, options.workspacePath, options.keepRules);
    this.#files = new FileServer(() => this.#events);
  }

  get #events(): TurnEvents | undefined {
    return this.#options.turn()?.events;
  }

  /** Answers it, now or when a person has. */
  answer({ request_id: id, request }: LineOf<"control_request">): void {
    const { turn, server, write } = this.#options;
    const asked = ControlRequest.safeParse(request);
    if (!asked.success) return write(refusal(id, "what it cannot read"));
    if (this.#asks.take(id, asked.data, this.#events)) return;
    const { subtype, message, server_name, tool_use_id } = asked.data;
    if (subtype === "mcp_message" && typeof message === "object")
      return void this.#answerMcp(id, message, server_name === FILE_SERVER ? this.#files : server);
    if (subtype !== "hook_callback") return write(refusal(id, subtype));
    const isTold = tool_use_id !== undefined && turn()?.reader.calls.has(tool_use_id) === true;
    write(callDecision(id, isTold ? "defer" : "deny"));
  }

  /** Claude does not need the answer any more. */
  withdraw(requestId: string): void {
    this.#asks.withdraw(requestId);
  }

  /** Claude drops by itself what it asked a person: it is interrupted, its turn has ended, or it is gone. */
  dropAsks(): void {
    this.#asks.dropAll();
  }

  async #answerMcp(id: string, message: McpMessage, server: FileServer | ClientServer): Promise<void> {
    this.#options.write(controlAnswer(id, { mcp_response: await server.answer(message) }));
  }
}
