import { isDeepStrictEqual } from "node:util";
import type { ClientTool } from "@synthesis/protocol";
import * as z from "zod";
import { CLIENT_SERVER } from "./claude-message.ts";

const PREFIX = `mcp__${CLIENT_SERVER}__`;
const METHOD_NOT_FOUND = -32_601;

/** A JSON-RPC message of Claude's, as an MCP client. */
export const McpMessage = z.looseObject({
  method: z.string(),
  /** Absent: a notification. */
  id: z.union([z.string(), z.number()]).optional(),
  params: z.looseObject({ protocolVersion: z.string().optional() }).optional(),
});
export type McpMessage = z.infer<typeof McpMessage>;

/** What the functions of a turn mean for a Claude that runs. */
export interface Offer {
  /** Claude has an older list. */
  readonly isNews: boolean;
  /** Functions whose definition is another than what it knows: it sticks to the first one it got of a name. */
  readonly redefined: readonly ClientTool[];
}

/** The name of a client's function that Claude calls by this name; undefined where it is none. */
export function functionNameOf(toolName: string | undefined): string | undefined {
  return toolName?.startsWith(PREFIX) === true ? toolName.slice(PREFIX.length) : undefined;
}

/**
 * The MCP server that lives in this process and offers the client's functions to one Claude. It runs none of them:
 * Claude asks before each call, and is told that the call ends its turn.
 */
export class ClientServer {
  #tools: readonly ClientTool[] = [];
  readonly #known = new Map<string, ClientTool>();
  #isListed = false;

  /** Whether Claude may call it: before it has asked for the functions it answers such a call itself. */
  has(functionName: string): boolean {
    return this.#isListed && this.#tools.some(({ name }) => name === functionName);
  }

  /** From now on these functions are offered, and no others. */
  offer(tools: readonly ClientTool[]): Offer {
    const isNews = this.#isListed && !isDeepStrictEqual(tools, this.#tools);
    const redefined = tools.filter((tool) => {
      const known = this.#known.get(tool.name);
      return known !== undefined && !isDeepStrictEqual(known, tool);
    });
    for (const tool of tools) this.#known.set(tool.name, tool);
    this.#tools = tools;
    return { isNews, redefined };
  }

  /** The answer to one of Claude's messages. */
  answer({ method, id, params }: McpMessage): object {
    if (id === undefined) return { jsonrpc: "2.0", id: 0, result: {} }; // Claude wants one for a notification too
    switch (method) {
      case "initialize":
        return result(id, {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: CLIENT_SERVER, version: "1" },
        });
      case "tools/list":
        this.#isListed = true;
        return result(id, { tools: this.#tools.map(mcpTool) });
      case "ping":
        return result(id, {});
      default: {
        const message = `the client's functions are not run here: ${method} is not answered`;
        return { jsonrpc: "2.0", id, error: { code: METHOD_NOT_FOUND, message } };
      }
    }
  }
}

function mcpTool({ name, description, parameters }: ClientTool): object {
  return {
    name,
    description: description ?? "",
    inputSchema: { ...parameters, type: "object" },
    _meta: { "anthropic/alwaysLoad": true }, // otherwise Claude knows its name only, and has to look it up
  };
}

function result(id: string | number, value: object): object {
  return { jsonrpc: "2.0", id, result: value };
}
