import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { ClaudePlugin } from "./claude-plugin.ts";

const plugin = new ClaudePlugin(process.env);
// Claude has gone: the SDK's transport does not notice, and a plugin must not outlive its Claude.
process.stdin.once("close", () => void plugin.close("Claude closed stdin").finally(() => process.exit(0)));
process.stdin.once("end", () => process.stdin.destroy());
await plugin.start(new StdioServerTransport());
