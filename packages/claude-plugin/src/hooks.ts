import * as z from "zod";
import type { ClaudeTurns } from "./claude-turns.ts";
import { HookEvent, type HookOutput } from "./hook-event.ts";
import type { ToolResult } from "./mcp/mcp-server.ts";
import type { PermissionRelay } from "./permission-relay.ts";

/** `reply` of this plugin, as Claude Code calls it. */
const REPLY = "mcp__plugin_synthesis_bridge__reply";

/** Takes what Claude Code's hooks report: it is how a message is known to be seen, and a turn to have ended. */
export class Hooks {
  readonly #turns: ClaudeTurns;
  readonly #permissions: PermissionRelay;

  constructor(turns: ClaudeTurns, permissions: PermissionRelay) {
    this.#turns = turns;
    this.#permissions = permissions;
  }

  /** `signal` aborts when Claude Code waits no longer. */
  async take(args: unknown, signal: AbortSignal): Promise<ToolResult> {
    this.#permissions.preferHooks();
    const event = HookEvent.safeParse(args);
    if (!event.success) return { text: z.prettifyError(event.error), isError: true };
    return { text: JSON.stringify(await this.#output(event.data, signal)) };
  }

  async #output(event: HookEvent, signal: AbortSignal): Promise<HookOutput> {
    switch (event.event) {
      case "UserPromptSubmit":
        this.#turns.onPrompt(event.prompt);
        return {};
      case "PreToolUse":
        return this.#beforeTool(event.tool);
      case "PermissionRequest":
        return this.#permissions.onHook(event, signal);
      case "PostToolUse":
        this.#permissions.onUsed(event);
        return {};
      case "Stop":
        this.#turns.onEnd(event.text);
        return {};
      case "StopFailure":
        this.#turns.onFailure(
          [event.text || "Claude could not go on", event.error, event.details].filter(Boolean).join(": "),
        );
        return {};
    }
  }

  #beforeTool(tool: string): HookOutput {
    const obstacle = this.#turns.onToolUse(tool);
    if (obstacle !== undefined) {
      const refusal = { permissionDecision: "deny", permissionDecisionReason: obstacle };
      const hookSpecificOutput = { hookEventName: "PreToolUse", ...refusal };
      return { continue: false, stopReason: obstacle, hookSpecificOutput };
    }
    if (tool !== REPLY) return {};
    return { hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow" } };
  }
}
