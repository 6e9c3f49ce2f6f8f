import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import * as z from "zod";
import type { CurrentTurn } from "./current-turn.ts";

/** Offers Claude the tool `reply`, whose calls become the frames of the running turn's answer. */
export function registerReplyTool(server: McpServer, turn: CurrentTurn): void {
  server.registerTool(
    "reply",
    {
      description: "Answers the current channel message. Only what is passed here reaches its sender.",
      inputSchema: {
        text: z.string().describe("The answer, or its next part"),
        final: z.boolean().optional().describe("false: more parts follow; by default the answer ends here"),
      },
      // Or else Claude sees the tool only after a search for it.
      _meta: { "anthropic/alwaysLoad": true },
    },
    ({ text, final = true }) => {
      const obstacle = turn.reply(text, final);
      return {
        content: [{ type: "text", text: obstacle ?? "sent" }],
        ...(obstacle === undefined ? {} : { isError: true }),
      };
    },
  );
}
