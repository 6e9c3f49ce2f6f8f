import type { InboundTurn } from "@synthesis/protocol/plugin-client";

/** What an MCP server declares to be a channel of Claude Code, and to be asked for permissions (research preview). */
export const CHANNEL_CAPABILITIES = { "claude/channel": {}, "claude/channel/permission": {} };

/**
 * The notification that shows Claude a prompt as a `<channel>` message. Its `meta` becomes the attributes, so
 * only the three fields that every bridge has go there, not what a newer one may add, and the paths of files: what a
 * sender writes is no attribute.
 */
export function channelNotification({ content, meta, files }: InboundTurn): {
  method: string;
  params: object;
} {
  const { chat_id, message_id, ts } = meta;
  const paths = Object.fromEntries(files.map(({ path }, index) => [pathAttribute(index), path]));
  const params = { content, meta: { chat_id, message_id, ts, ...paths } };
  return { method: "notifications/claude/channel", params };
}

/** Claude Code takes identifiers only. */
function pathAttribute(index: number): string {
  return index === 0 ? "file_path" : `file_path_${index + 1}`;
}

/** Whether what Claude was given is the channel message with this id; of a text that only quotes one, too. */
export function isPromptOf(prompt: string, messageId: string): boolean {
  return prompt.includes("<channel ") && prompt.includes(`message_id="${messageId}"`);
}
