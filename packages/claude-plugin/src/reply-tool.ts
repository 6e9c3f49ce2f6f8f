import * as z from "zod";
import type { ClaudeTurns } from "./claude-turns.ts";
import type { ToolDescription, ToolResult } from "./mcp/mcp-server.ts";
import { workspaceFile, type WorkspaceFile } from "./workspace-file.ts";

const ReplyInput = z.object({
  text: z.string(),
  final: z.boolean().default(true),
  message_id: z.string().optional(),
  attachments: z.array(z.string()).max(16).default([]),
});

/** The tool by which Claude answers a channel message. */
export const replyTool: ToolDescription = {
  name: "reply",
  description: "Answers the current channel message. Only what is passed here reaches its sender.",
  inputSchema: {
    type: "object",
    properties: {
      text: { type: "string", description: "The answer, or its next part" },
      final: {
        type: "boolean",
        description: "false: more parts follow; by default the answer ends here",
      },
      message_id: { type: "string", description: "The message_id of the channel message that is answered" },
      attachments: {
        type: "array",
        items: { type: "string" },
        maxItems: 16,
        description: "Paths of files in the workspace, none of them hidden, that belong to the answer",
      },
    },
    required: ["text"],
  },
  // Or else Claude sees the tool only after a search for it.
  _meta: { "anthropic/alwaysLoad": true },
};

/** Passes a part of the answer on, its files first. */
export async function reply(args: unknown, turns: ClaudeTurns, workspace: string): Promise<ToolResult> {
  const input = ReplyInput.safeParse(args);
  if (!input.success) return refusal(z.prettifyError(input.error));
  const { text, final, message_id, attachments } = input.data;
  let files: readonly WorkspaceFile[];
  try {
    files = await Promise.all(attachments.map((path) => workspaceFile(path, workspace)));
  } catch (error) {
    return refusal(`Nothing was sent. ${error instanceof Error ? error.message : String(error)}`);
  }
  const found = turns.toAnswer(message_id);
  if ("obstacle" in found) return refusal(found.obstacle);
  const { message } = found;
  for (const file of files) message.attach({ ...file });
  if (final) {
    turns.answered(message);
    message.end(text);
  } else {
    turns.answeredInPart(message);
    message.reply(text);
  }
  return { text: "sent" };
}

function refusal(text: string): ToolResult {
  return { text, isError: true };
}
