import { createServer } from "node:net";
import { once } from "node:events";
import { UnusableError } from "@synthesis/kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import { key, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start();
});
afterEach(async () => gateway.close());

const headers = { authorization: `Bearer ${key}` };

test("/health without a key says that it serves and nothing else", async () => {
  const response = await gateway.fetch("/health");
  expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
  expect(gateway.supervisor.asked).toEqual([]);
});

test("/health with a key sums up what the workers say, and what waits here", async () => {
  const status = { processes: 2, conns: 1, turns: 1, sessions: 5, unsolicited: 3, memoryBytes: 100 };
  gateway.supervisor.status = {
    workers: [
      { workspace: "a", path: "/a", state: "serving", pid: 7, restarts: 0, status },
      { workspace: "b", path: "/b", state: "serving", pid: 8, restarts: 2, status },
      { workspace: "c", path: "/c", state: "starting", restarts: 0 },
    ],
  };
  const response = await gateway.fetch("/health", { headers });
  expect(await response.json()).toEqual({
    ok: false,
    processes: 4,
    conns: 2,
    turns: 2,
    waiting: 0,
    sessions: 10,
    unsolicited: 6,
    memory_bytes: 200,
    workers: [
      { workspace: "a", state: "serving", pid: 7, restarts: 0, processes: 2 },
      { workspace: "b", state: "serving", pid: 8, restarts: 2, processes: 2 },
      { workspace: "c", state: "starting", restarts: 0, processes: 0 },
    ],
  });
});

test("/health with a key, while the supervisor is away, says so", async () => {
  await gateway.supervisor.close();
  const response = await gateway.fetch("/health", { headers });
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(await response.json()).toMatchObject({ error: { code: "worker_unavailable" } });
});

test("/v1/models lists the agents", async () => {
  const response = await gateway.fetch("/v1/models", { headers });
  const model = (id: string) => ({ id, object: "model", created: 0, owned_by: "synthesis" });
  expect(await response.json()).toEqual({
    object: "list",
    data: [model("echo"), model("other"), model("own")],
  });
});

test("/v1/models/AGENT tells one, under whatever name it is asked for as a model", async () => {
  const body = { id: "echo", object: "model", created: 0, owned_by: "synthesis" };
  for (const id of ["echo", "%65cho", "echo%2Fopus"])
    expect(await (await gateway.fetch(`/v1/models/${id}`, { headers })).json()).toEqual(body);
  for (const id of ["ghost", "%zz"])
    expect(await (await gateway.fetch(`/v1/models/${id}`, { headers })).json()).toMatchObject({
      error: { code: "model_not_found" },
    });
});

test.for(["/", "/v1", "/v1/models/", "/V1/models", "/__proto__", "/constructor", "/v1/../health"])(
  "%s is answered 404",
  async (path) => {
    const response = await gateway.fetch(path.replace("..", "%2e%2e%2f"), { headers });
    expect(response.status).toBe(404);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({
      error: { code: "not_found", type: "invalid_request_error" },
    });
  },
);

test.for([
  ["GET", "/v1/chat/completions", "POST"],
  ["PUT", "/chat/completions", "POST"],
  ["POST", "/v1/models", "GET"],
  ["DELETE", "/health", "GET"],
  ["OPTIONS", "/health", "GET"],
] as const)("%s %s is answered 405 and told what it takes", async ([method, path, allow]) => {
  const response = await gateway.fetch(path, { method, headers });
  expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
  expect(await response.json()).toMatchObject({ error: { code: "method_not_allowed" } });
});

test("a query string is no part of the path", async () => {
  const response = await gateway.fetch("/v1/models?limit=1", { headers });
  expect(response.status).toBe(200);
  await response.text();
});

test("every answer has a request id of its own", async () => {
  const ids = new Set<string | null>();
  for (const path of ["/health", "/v1/models", "/nowhere"]) {
    const response = await gateway.fetch(path);
    await response.text();
    ids.add(response.headers.get("x-request-id"));
  }
  expect(ids.size).toBe(3);
  expect(ids).not.toContain(null);
});

test("a port in use is refused with the remedy", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const start = RunningGateway.start({ server: { port } });
  await expect(start).rejects.toThrow(
    new UnusableError(
      `port ${port} of 127.0.0.1 is in use: stop what uses it, or choose another with --port`,
    ),
  );
  other.close();
  await once(other, "close");
});
