/** An MCP server over stdio with one tool, `book`: it asks its user for a name and a day, and gives back what it is told. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";

const server = new McpServer({ name: "hotel", version: "1.0.0" });
const book = { description: "Books a room", _meta: { "anthropic/alwaysLoad": true } };
server.registerTool("book", book, async () => {
  const answer = await server.server.elicitInput({
    message: "For whom, and when?",
    requestedSchema: {
      type: "object",
      properties: {
        name: { type: "string", description: "of the guest" },
        day: { type: "string", enum: ["Friday", "Saturday"] },
        nights: { type: "integer" },
      },
      required: ["name"],
    },
  });
  return { content: [{ type: "text", text: `told: ${JSON.stringify(answer)}` }] };
});
await server.connect(new StdioServerTransport());
