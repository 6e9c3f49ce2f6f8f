import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { eventually, expectClean } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Toxic } from "./fault.ts";
import { ToxicProxy } from "./toxic-proxy.ts";

expectClean();

const server = createServer();
let proxy: ToxicProxy;
/** The far ends of the proxied connections. */
let accepted: Socket[];
beforeEach(async () => {
  accepted = [];
  server.removeAllListeners("connection");
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    accepted.push(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await ToxicProxy.start((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  for (const socket of accepted) socket.destroy();
  server.close();
  await once(server, "close");
});

async function client() {
  const socket = connect(proxy.port, "127.0.0.1");
  const seen = { chunks: [] as string[], end: undefined as string | undefined };
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => seen.chunks.push(text));
  socket.on("end", () => (seen.end ??= "end"));
  socket.on("error", ({ message }) => (seen.end ??= message));
  await eventually(() => expect(accepted).toHaveLength(1));
  return { socket, seen, far: accepted[0]! };
}

test.for<Toxic | undefined>([undefined, { type: "latency", delayMs: 5 }, { type: "slicer" }])(
  "what is said arrives whole and in order through %o, and so does the end",
  async (toxic) => {
    proxy.apply(toxic);
    const { seen, far } = await client();
    far.write("one ");
    far.end("two");
    await eventually(() => expect(seen).toMatchObject({ end: "end" }));
    expect(seen.chunks.join("")).toBe("one two");
  },
);

test("a reset is seen as one", async () => {
  const { seen } = await client();
  proxy.apply({ type: "reset" });
  await eventually(() => expect(seen.end).toContain("ECONNRESET"));
});

test("limited data breaks off after that many bytes", async () => {
  proxy.apply({ type: "limit_data", bytes: 5 });
  const { seen, far } = await client();
  far.write("one two");
  await eventually(() => expect(seen.chunks.join("")).toBe("one t"));
  await eventually(() => expect(seen.end).toBeDefined());
});

test("a blackhole swallows what is said, and a connection that was in it is reset", async () => {
  proxy.apply({ type: "blackhole" });
  const { seen, far, socket } = await client();
  far.write("never seen");
  socket.write("a request passes");
  await once(far, "data");
  proxy.apply(undefined);
  await eventually(() => expect(seen.end).toContain("ECONNRESET"));
  expect(seen.chunks).toEqual([]);
});
