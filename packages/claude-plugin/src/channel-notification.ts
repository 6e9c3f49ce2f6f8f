import type { InboundTurn } from "@synthesis/protocol/plugin-client";

/** What an MCP server declares to be a channel of Claude Code (research preview). */
export const CHANNEL_CAPABILITY = { "claude/channel": {} };

/**
 * The notification that shows Claude a prompt as a `<channel>` message. Its `meta` becomes the attributes, so
 * only the three fields that every bridge has go there, not what a newer one may add.
 */
export function channelNotification({ content, meta }: InboundTurn) {
  const { chat_id, message_id, ts } = meta;
  return { method: "notifications/claude/channel", params: { content, meta: { chat_id, message_id, ts } } };
}
