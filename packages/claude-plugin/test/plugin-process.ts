import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const PLUGIN_DIR = fileURLToPath(new URL("..", import.meta.url));

/** The command line of the plugin's `.mcp.json`, with its placeholders filled in as Claude Code does it. */
export async function pluginCommand(): Promise<{ readonly command: string; readonly args: string[] }> {
  const text = await readFile(`${PLUGIN_DIR}/.mcp.json`, "utf8");
  const { bridge } = JSON.parse(text).mcpServers;
  const fill = (value: string) =>
    value.replace("${CLAUDE_PLUGIN_ROOT}", PLUGIN_DIR).replace("${SYNTHESIS_NODE:-node}", process.execPath);
  return { command: fill(bridge.command), args: bridge.args.map(fill) };
}
