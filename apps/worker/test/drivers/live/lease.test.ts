import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Lease } from "../../../src/drivers/live/lease.ts";

expectClean();

test("one that nobody says to have started ends, and says so; one that was goes on", async () => {
  await using stack = new AsyncDisposableStack();
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  stack.defer(() => server.close());
  await once(server, "listening");
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    stack.defer(() => socket.terminate());
    const [[accepted]] = (await Promise.all([once(server, "connection"), once(socket, "open")])) as [
      [WebSocket],
      [],
    ];
    return { socket, lease: new Lease(accepted, 50) };
  };
  const started = await open();
  started.socket.send(JSON.stringify({ type: "started", pid: 7 }));
  const silent = await open();
  const told = once(silent.socket, "close");
  expect(await silent.lease.closed).toMatchObject({ code: "not_started" });
  expect(String((await told)[1])).toBe("nobody said within 50 ms that it was started");
  expect([started.lease.isAlive, started.lease.pid]).toEqual([true, 7]);
});
