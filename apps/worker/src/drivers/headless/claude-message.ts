import { randomUUID } from "node:crypto";
import type { MessageContent } from "./prompt-content.ts";

/** The MCP server of the client's functions, which this host is to Claude. A project may have servers of other names. */
export const CLIENT_SERVER = "synthesis_client";
/** After it Claude would go on by itself; it is answered at once. */
const HOOK_TIMEOUT_S = 600;

/**
 * A prompt for Claude's stdin. `client_composed` makes it plain text: without it `/clear` would wipe the
 * history and `@/etc/hostname` would read that file into the prompt (measured with Claude Code 2.1.330).
 */
export function userMessage(uuid: string, content: MessageContent): string {
  return line({ type: "user", uuid, client_composed: true, message: { role: "user", content } });
}

/** What a Claude process is told at its start, before its first prompt. */
export interface Handshake {
  readonly systemPrompt?: readonly string[];
  readonly appendSystemPrompt?: string;
}

/**
 * Makes this host the MCP server of the client's functions, and lets it decide on each call of one before it is made;
 * and a server of these other names.
 */
export function initializeRequest(handshake: Handshake, servers: readonly string[]): string {
  const matcher = `mcp__${CLIENT_SERVER}__.*`;
  const hooks = { PreToolUse: [{ matcher, hookCallbackIds: ["call"], timeout: HOOK_TIMEOUT_S }] };
  return controlRequest({
    subtype: "initialize",
    sdkMcpServers: [CLIENT_SERVER, ...servers],
    hooks,
    ...handshake,
  });
}

/** Also withdraws what waits in Claude's queue: it would begin by itself once the turn is over. */
export function interruptRequest(): string {
  return controlRequest({ subtype: "interrupt", cancel_queued: true });
}

/** Withdraws a message that Claude has not taken up. */
export function withdrawRequest(uuid: string): string {
  return controlRequest({ subtype: "cancel_async_message", message_uuid: uuid });
}

/** Without a model: back to the one that the process was started with. */
export function setModelRequest(model: string | undefined): string {
  return controlRequest({ subtype: "set_model", ...(model === undefined ? {} : { model }) });
}

/** Without an effort: back to that of Claude's settings. */
export function setEffortRequest(effort: string | undefined): string {
  return controlRequest({ subtype: "apply_flag_settings", settings: { effortLevel: effort ?? null } });
}

/** Claude asks for the client's functions again, and begins no turn before it has them (measured with 2.1.330). */
export function functionsChangedNotice(): string {
  const message = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
  return controlRequest({ subtype: "mcp_message", server_name: CLIENT_SERVER, message });
}

/** The answer to Claude's question whether it may make a call of one of the client's functions. */
export function callDecision(requestId: string, decision: "defer" | "deny"): string {
  const permissionDecisionReason =
    decision === "defer"
      ? "the client runs it"
      : "only the main conversation may call the client's functions";
  const hookSpecificOutput = {
    hookEventName: "PreToolUse",
    permissionDecision: decision,
    permissionDecisionReason,
  };
  return controlAnswer(requestId, { hookSpecificOutput });
}

/** The answer to a control request of Claude's. */
export function controlAnswer(requestId: string, response: object): string {
  return line({
    type: "control_response",
    response: { subtype: "success", request_id: requestId, response },
  });
}

/** The answer to something that Claude asks of its host and this host does not do; unanswered, it would wait for ever. */
export function refusal(requestId: string, subtype: string): string {
  return line({
    type: "control_response",
    response: { subtype: "error", request_id: requestId, error: `Synthesis does not answer ${subtype}` },
  });
}

function controlRequest(request: object): string {
  return line({ type: "control_request", request_id: randomUUID(), request });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
