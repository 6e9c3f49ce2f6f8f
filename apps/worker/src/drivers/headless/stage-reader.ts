import type { TurnStage } from "../agent-process.ts";
import type { ClaudeLine, LineOf } from "./claude-line.ts";
import { functionNameOf } from "./client-server.ts";

/**
 * Reads from the lines of one turn what it waits for. A tool runs from its finished `tool_use` block to its
 * `tool_result`; what a subagent does belongs to the tool that started it. (Measured with Claude Code 2.1.330:
 * `status requesting` stands before each request of the main conversation, not before a repeated one.)
 */
export class StageReader {
  readonly #onStage: (stage: TurnStage) => void;
  /** Names of the running tools, by the id of their call. */
  readonly #tools = new Map<string, string>();
  #stage = "";

  constructor(onStage: (stage: TurnStage) => void) {
    this.#onStage = onStage;
  }

  read(line: ClaudeLine): void {
    if (line.type === "system") this.#readSystem(line);
    if (line.type !== "stream_event" && line.type !== "assistant" && line.type !== "user") return;
    if (line.parent_tool_use_id == null) this.#readMessage(line);
  }

  #readSystem({ subtype, status }: LineOf<"system">): void {
    const asks = subtype === "status" && (status === "requesting" || status === "compacting");
    if (asks || subtype === "api_retry") this.#awaitModel();
  }

  #readMessage(line: LineOf<"stream_event" | "assistant" | "user">): void {
    if (line.type === "stream_event") {
      if (line.abandoned_blocks !== undefined) return this.#awaitModel();
    } else if (typeof line.message.content !== "string") {
      for (const { type, id, name, tool_use_id } of line.message.content) {
        const runs = type === "tool_use" && functionNameOf(name) === undefined; // the client's end the turn
        if (runs && id !== undefined) this.#tools.set(id, name ?? "tool");
        if (type === "tool_result" && tool_use_id !== undefined) this.#tools.delete(tool_use_id);
      }
    }
    const tool = [...this.#tools.values()].join(", ");
    this.#enter(tool === "" ? { name: "answer" } : { name: "tool", tool });
  }

  /** A request was made, or is made again: no tool of an earlier answer can run any more. */
  #awaitModel(): void {
    this.#tools.clear();
    this.#enter({ name: "first_byte" });
  }

  #enter(stage: TurnStage): void {
    const key = JSON.stringify(stage);
    if (key === this.#stage) return;
    this.#stage = key;
    this.#onStage(stage);
  }
}
