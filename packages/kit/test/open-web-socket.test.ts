import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { openWebSocket } from "../src/open-web-socket.ts";

test.each(["plain", "a b", "a:b", "a#b", "a?b", "a%20b", "ü"])(
  "a socket in a folder called %j",
  async (name) => {
    await using stack = new AsyncDisposableStack();
    const root = await mkdtemp(join(tmpdir(), "kit-"));
    stack.defer(() => rm(root, { recursive: true, force: true }));
    const folder = join(root, name);
    await mkdir(folder);
    const socketPath = join(folder, "worker.sock");
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    http.listen(socketPath);
    await once(http, "listening");
    stack.defer(() => void http.close());
    const connection = once(server, "connection") as Promise<[unknown, IncomingMessage]>;
    const socket = openWebSocket(socketPath, "/live?agent=a%20b");
    await once(socket, "open");
    const [, request] = await connection;
    expect(request.url).toBe("/live?agent=a%20b");
    socket.terminate();
  },
);
