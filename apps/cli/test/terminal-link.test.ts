import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { openTerminalLink } from "../src/terminal-link.ts";

expectClean();

test("a terminal is reached, or its refusal told, wherever the worker's socket is", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const odd = folder.join("a b:c#ü");
  await mkdir(odd);
  const socketPath = `${odd}/w.sock`;
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  http.on("upgrade", (request, socket, head) => {
    if (request.url === "/live?agent=a") return sockets.handleUpgrade(request, socket, head, () => {});
    const body = JSON.stringify({ error: { code: "invalid_request", message: "not here" } });
    socket.end(`HTTP/1.1 409 Conflict\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  http.listen(socketPath);
  await once(http, "listening");
  stack.defer(() => void http.close());
  const link = await openTerminalLink(socketPath, "/live?agent=a");
  expect(link.readyState).toBe(link.OPEN);
  link.terminate();
  await expect(openTerminalLink(socketPath, "/sessions/s/terminal")).rejects.toThrow("not here");
  await expect(openTerminalLink(`${odd}/none.sock`, "/live")).rejects.toMatchObject({
    error: { code: "worker_unavailable" },
  });
});
