import * as z from "zod";

const METHOD_NOT_FOUND = -32_601;

/** A JSON-RPC message of Claude's, as an MCP client. */
export const McpMessage = z.looseObject({
  method: z.string(),
  /** Absent: a notification. */
  id: z.union([z.string(), z.number()]).optional(),
  params: z
    .looseObject({
      protocolVersion: z.string().optional(),
      /** Of `tools/call`. */
      name: z.string().optional(),
      arguments: z.unknown().optional(),
    })
    .optional(),
});
export type McpMessage = z.infer<typeof McpMessage>;

/** The answer to what an MCP server without state of its own answers like any other; undefined: it is for the server. */
export function commonAnswer({ method, id, params }: McpMessage, serverName: string): object | undefined {
  if (id === undefined) return mcpResult(0, {}); // Claude wants one for a notification too
  if (method === "ping") return mcpResult(id, {});
  if (method !== "initialize") return undefined;
  return mcpResult(id, {
    protocolVersion: params?.protocolVersion,
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: serverName, version: "1" },
  });
}

export function mcpResult(id: McpMessage["id"], value: object): object {
  return { jsonrpc: "2.0", id, result: value };
}

/** The answer to a method that a server does not have. */
export function mcpRefusal(id: McpMessage["id"], message: string): object {
  return { jsonrpc: "2.0", id, error: { code: METHOD_NOT_FOUND, message } };
}
