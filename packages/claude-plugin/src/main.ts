import { MissingVariableError } from "@synthesis/protocol/plugin-client";
import { ClaudePlugin } from "./claude-plugin.ts";
import { idleServer } from "./idle-server.ts";
import { lines } from "./mcp/lines.ts";

const write = (line: string) => void process.stdout.write(line);
const workspace = process.env["CLAUDE_PROJECT_DIR"] ?? process.cwd();

function serve(): { receive(line: string): void; close?(reason: string): Promise<void> } {
  try {
    return new ClaudePlugin({ environment: process.env, workspace, write });
  } catch (error) {
    if (!(error instanceof MissingVariableError)) throw error;
    process.stderr.write(`${error.message}: the plugin does nothing\n`);
    return idleServer(write);
  }
}

const server = serve();
process.stdout.on("error", () => process.exit(1)); // Claude takes nothing any more
for await (const line of lines(process.stdin)) server.receive(line);
// Claude has gone, and a plugin must not outlive its Claude.
await server.close?.("Claude closed stdin");
process.exit(0);
