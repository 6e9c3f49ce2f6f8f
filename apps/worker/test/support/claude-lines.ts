import { parseClaudeLine, type ClaudeLine } from "../../src/drivers/headless/claude-line.ts";

/** Lines of Claude Code 2.1.330 with what matters of them, read by the real parser. */
function read(line: object): ClaudeLine {
  const parsed = parseClaudeLine(JSON.stringify(line));
  if (parsed === undefined) throw new Error(`not a line of Claude's: ${JSON.stringify(line)}`);
  return parsed;
}

const event = (inner: object, more: object = {}) =>
  read({ type: "stream_event", event: inner, parent_tool_use_id: null, ...more });

export const claudeLines = {
  messageStart: (id: string) => event({ type: "message_start", message: { id } }),
  blockStart: (index: number, type = "text", name?: string) =>
    event({ type: "content_block_start", index, content_block: { type, ...(name ? { name } : {}) } }),
  text: (text: string, more: object = {}) =>
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }, more),
  call: (index: number, id: string, name: string, ...json: readonly string[]): ClaudeLine[] => [
    event({ type: "content_block_start", index, content_block: { type: "tool_use", id, name, input: {} } }),
    ...json.map((partial_json) =>
      event({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } }),
    ),
  ],
  blockStop: (index: number) => event({ type: "content_block_stop", index }),
  thinking: (thinking: string) =>
    event({ type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking } }),
  messageDelta: (stop_reason: string) => event({ type: "message_delta", delta: { stop_reason } }),
  messageStop: () => event({ type: "message_stop" }),
  abandoned: (from_block_index: number) =>
    event({ type: "message_stop" }, { abandoned_blocks: { api_message_id: "m", from_block_index } }),
  assistant: (id: string, text: string, more: object = {}) =>
    read({ type: "assistant", message: { id, model: "opus", content: [{ type: "text", text }] }, ...more }),
  toolUse: (id: string, call = "toolu_1", name = "Bash", input: object = {}) =>
    read({ type: "assistant", message: { id, content: [{ type: "tool_use", id: call, name, input }] } }),
  toolResult: (call = "toolu_1", more: object = {}) =>
    read({ type: "user", message: { content: [{ type: "tool_result", tool_use_id: call }] }, ...more }),
  status: (status: string | null) => read({ type: "system", subtype: "status", status }),
  rateLimit: (info: object) => read({ type: "rate_limit_event", rate_limit_info: info }),
  apiError: (error: string, text: string) =>
    read({
      type: "assistant",
      message: { id: "synthetic", model: "<synthetic>", content: [{ type: "text", text }] },
      error,
    }),
  system: (subtype: string, more: object = {}) => read({ type: "system", subtype, ...more }),
  result: (more: object = {}) =>
    read({ type: "result", subtype: "success", is_error: false, terminal_reason: "completed", ...more }),
  other: (type: string) => read({ type }),
  /** One whole streamed message, with its `assistant` line where Claude Code writes it. */
  message: (id: string, text: string, stopReason = "end_turn"): ClaudeLine[] => [
    claudeLines.messageStart(id),
    claudeLines.blockStart(0),
    ...(text.match(/\S+\s*/g) ?? []).map((word) => claudeLines.text(word)),
    claudeLines.assistant(id, text),
    claudeLines.messageDelta(stopReason),
    claudeLines.messageStop(),
  ],
} as const;
