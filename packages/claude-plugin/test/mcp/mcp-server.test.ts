import { expect, test } from "vitest";
import { lines } from "../../src/mcp/lines.ts";
import { McpServer } from "../../src/mcp/mcp-server.ts";

/** A server whose one tool echoes, and what it has written. */
function served() {
  const written: unknown[] = [];
  const server = new McpServer({
    name: "s",
    version: "1",
    tools: [],
    onCall: async (name, args) => ({ text: `${name} ${JSON.stringify(args)}` }),
    onNotification: () => undefined,
    write: (line) => written.push(JSON.parse(line)),
  });
  const answerTo = async (line: string) => {
    server.receive(line);
    while (written.length === 0) await new Promise(setImmediate);
    return written.shift();
  };
  return { server, answerTo };
}

test.for([
  ["2025-11-25", "2025-11-25"],
  ["2024-11-05", "2024-11-05"],
  ["2099-01-01", "2025-11-25"],
])("a client of revision %s is offered %s", async ([wanted, offered]) => {
  const { answerTo } = served();
  const params = { protocolVersion: wanted, capabilities: {}, clientInfo: { name: "c", version: "0" } };
  expect(await answerTo(JSON.stringify({ id: 1, method: "initialize", params }))).toMatchObject({
    id: 1,
    result: { protocolVersion: offered },
  });
});

test.for([
  { line: "{", id: null, code: -32700 },
  { line: "[]", id: null, code: -32600 },
  { line: '{"id":1}', id: null, code: -32600 },
  { line: '{"id":2,"method":"server/discover"}', id: 2, code: -32601 },
  { line: '{"id":"x","method":"tools/call","params":{}}', id: "x", code: -32602 },
  { line: '{"id":3,"method":"tools/call","params":{"name":"a","arguments":"b"}}', id: 3, code: -32602 },
])("$line is answered by the error $code, and the server goes on", async ({ line, id, code }) => {
  const { answerTo } = served();
  expect(await answerTo(line)).toMatchObject({ jsonrpc: "2.0", id, error: { code } });
  const call = { id: 9, method: "tools/call", params: { name: "echo", arguments: { a: 1 } } };
  expect(await answerTo(JSON.stringify(call))).toEqual({
    jsonrpc: "2.0",
    id: 9,
    result: { content: [{ type: "text", text: 'echo {"a":1}' }] },
  });
});

async function* chunked(...chunks: readonly (string | Buffer)[]) {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<string[]> {
  const read: string[] = [];
  for await (const line of lines(chunked(...chunks))) read.push(line);
  return read;
}

test("lines are put together from chunks, also where a character is cut; an unfinished one is dropped", async () => {
  const [head, tail] = [Buffer.from("é\n").subarray(0, 1), Buffer.from("é\n").subarray(1)];
  expect(await linesOf("a\nb", "c", head, tail, "\n\nlost")).toEqual(["a", "bcé", "", ""]);
});

test("a line without an end ends the reading at 64 MiB", async () => {
  const part = "x".repeat(16 * 1024 * 1024);
  await expect(linesOf(part, part, part, part, "x")).rejects.toThrow("64 MiB");
});
