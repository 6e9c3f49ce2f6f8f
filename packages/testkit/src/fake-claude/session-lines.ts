import { FAKE_VERSION } from "./fake-version.ts";
import type { TurnOutput } from "./turn-output.ts";
import type { UserMessage } from "./user-message.ts";
import { writeLine } from "./write-line.ts";

/** What comes before each turn. */
export function writeTurnStart(output: TurnOutput): void {
  output.line({
    type: "system",
    subtype: "init",
    cwd: process.cwd(),
    tools: ["Bash"],
    mcp_servers: [],
    model: output.model,
    permissionMode: "default",
    claude_code_version: FAKE_VERSION,
    capabilities: ["interrupt_receipt_v1"],
    user_message_uuids: output.uuids,
  });
  output.line({ type: "system", subtype: "status", status: "requesting", user_message_uuids: output.uuids });
}

/** One `command_lifecycle` for each message that has a uuid. */
export function writeLifecycle(
  session_id: string,
  messages: readonly UserMessage[],
  state: "queued" | "started" | "completed" | "cancelled",
): void {
  for (const { uuid } of messages) {
    if (uuid !== undefined) writeLine({ type: "command_lifecycle", command_uuid: uuid, state, session_id });
  }
}

/** A user message as `--replay-user-messages` shows it. */
export function writeReplay(session_id: string, { uuid, text }: UserMessage): void {
  const message = { role: "user", content: [{ type: "text", text }] };
  writeLine({ type: "user", message, session_id, parent_tool_use_id: null, uuid, isReplay: true });
}

/** The successful answer to a control request. */
export function writeControlSuccess(request_id: string, response: object): void {
  writeLine({ type: "control_response", response: { subtype: "success", request_id, response } });
}

/** The answer to a control request of an unknown subtype. */
export function writeControlUnsupported(request_id: string, subtype: string): void {
  const error = `Unsupported control request subtype: ${subtype}`;
  const response = { subtype: "error", request_id, error, error_code: "unsupported_request" };
  writeLine({ type: "control_response", response });
}
