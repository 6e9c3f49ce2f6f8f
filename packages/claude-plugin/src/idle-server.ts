import manifest from "../.claude-plugin/plugin.json" with { type: "json" };
import { McpServer } from "./mcp/mcp-server.ts";

/** What serves a Claude that Synthesis did not start: it offers nothing, and its hooks change nothing. */
export function idleServer(write: (line: string) => void): McpServer {
  return new McpServer({
    name: manifest.name,
    version: manifest.version,
    tools: [],
    onCall: () => ({ text: "{}" }),
    onNotification: () => undefined,
    write,
  });
}
