import { expectClean } from "@synthesis/testkit";
import { afterEach, expect, test } from "vitest";
import { rawHttp } from "../support/raw-http.ts";
import { completed } from "../support/fake-worker.ts";
import { key, RunningGateway, type GatewayChanges } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
afterEach(async () => gateway.close());

/** What a worker is told of where files are, for a client that asked this host. */
async function toldFor(host: string, server: GatewayChanges["server"] = {}): Promise<string | undefined> {
  gateway = await RunningGateway.start({ server });
  const body = JSON.stringify({ model: "echo", messages: [{ role: "user", content: "hi" }] });
  const lines = [
    "POST /v1/chat/completions HTTP/1.1",
    `host: ${host.replace("PORT", String(gateway.port))}`,
    `authorization: Bearer ${key}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  const answered = rawHttp(gateway.port, `${lines.join("\r\n")}\r\n\r\n${body}`);
  const submit = await gateway.worker.next("submit");
  gateway.worker.answer(submit, "hi", completed);
  await answered;
  return submit.filesUrl?.replace(String(gateway.port), "PORT");
}

test.for([
  ["127.0.0.1:PORT", "http://127.0.0.1:PORT/v1/files"],
  ["LocalHost:PORT", "http://LocalHost:PORT/v1/files"],
  ["[::1]:PORT", "http://[::1]:PORT/v1/files"],
  ["box.lan", "http://box.lan/v1/files"],
] as const)("files are found where the client found the server: %s", async ([host, url]) => {
  expect(await toldFor(host, { allowedHosts: ["box.lan"] })).toBe(url);
});

test("files are found at the public address, where there is one", async () => {
  const publicUrl = "https://box.example/synthesis";
  expect(await toldFor("127.0.0.1:PORT", { publicUrl })).toBe("https://box.example/synthesis/v1/files");
});

test("the public address is one of the server's own", async () => {
  const publicUrl = "https://Box.example/synthesis";
  expect(await toldFor("box.example", { publicUrl })).toBe("https://Box.example/synthesis/v1/files");
});

test.for(["no host at all", `${"x".repeat(2_040)}.lan`, "box.lan:port"])(
  "an allowed host that makes no URL costs the links, not the turn",
  async (host) => {
    expect(await toldFor(host, { allowedHosts: [host] })).toBeUndefined();
  },
);
