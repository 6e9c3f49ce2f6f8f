import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { ClientTool } from "@synthesis/protocol";
import { CLIENT_SERVER } from "./claude-message.ts";
import { commonAnswer, mcpRefusal, mcpResult, type McpMessage } from "./mcp-message.ts";

const PREFIX = `mcp__${CLIENT_SERVER}__`;

/** Of so many functions it is known whether Claude was told them otherwise before. */
const MAX_KNOWN = 1024;

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
  /** The hash of the latest definition of each function that Claude was offered, by its name. */
  readonly #known = new Map<string, string>();
  #isListed = false;

  /** Whether Claude may call it: before it has asked for the functions it answers such a call itself. */
  has(functionName: string): boolean {
    return this.#isListed && this.#tools.some(({ name }) => name === functionName);
  }

  /** From now on these functions are offered, and no others. */
  offer(tools: readonly ClientTool[]): Offer {
    const isNews = this.#isListed && !isDeepStrictEqual(tools, this.#tools);
    const redefined = tools.filter((tool) => this.#redefines(tool));
    this.#tools = tools;
    return { isNews, redefined };
  }

  #redefines({ name, description, parameters }: ClientTool): boolean {
    const definition = hash("sha256", JSON.stringify([description, parameters]), "hex");
    const known = this.#known.get(name);
    this.#known.delete(name); // it is the latest again
    this.#known.set(name, definition);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return known !== undefined && known !== definition;
  }

  /** The answer to one of Claude's messages. */
  async answer(message: McpMessage): Promise<object> {
    const { method, id } = message;
    const common = commonAnswer(message, CLIENT_SERVER);
    if (common !== undefined) return common;
    if (method !== "tools/list")
      return mcpRefusal(id, `the client's functions are not run here: ${method} is not answered`);
    this.#isListed = true;
    return mcpResult(id, { tools: this.#tools.map(mcpTool) });
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
