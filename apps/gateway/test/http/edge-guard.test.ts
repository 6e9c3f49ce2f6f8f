import { afterEach, beforeEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import { head, rawHttp, statusOf } from "../support/raw-http.ts";
import { key, RunningGateway } from "../support/running-gateway.ts";

expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start({
    server: { allowedHosts: ["Box.lan"] },
  });
});
afterEach(async () => gateway.close());
const routes = [
  ["POST", "/v1/chat/completions"],
  ["POST", "/chat/completions"],
  ["GET", "/v1/models"],
  ["GET", "/health"],
  ["DELETE", "/health"],
  ["GET", "/no/such/path"],
  ["OPTIONS", "/v1/models"],
] as const;

const badCredentials: readonly (readonly [title: string, headers: Record<string, string>, query?: string])[] =
  [
    ["none", {}],
    ["an empty Authorization", { authorization: "" }],
    ["an empty Bearer", { authorization: "Bearer" }],
    ["a wrong key", { authorization: "Bearer sk-the-wrong-key-of-tests" }],
    ["the key's beginning", { authorization: `Bearer ${key.slice(0, -1)}` }],
    ["the key and more", { authorization: `Bearer ${key}x` }],
    ["two keys", { authorization: `Bearer ${key} ${key}` }],
    ["the key in capitals", { authorization: `Bearer ${key.toUpperCase()}` }],
    ["the key without Bearer", { authorization: key }],
    ["another scheme", { authorization: `Basic ${btoa(`user:${key}`)}` }],
    ["a wrong x-api-key", { "x-api-key": "sk-the-wrong-key-of-tests" }],
    ["an empty x-api-key", { "x-api-key": "" }],
    ["x-api-key beside a wrong key", { "x-api-key": key, authorization: "Bearer sk-the-wrong-key-of-tests" }],
    ["another header", { "api-key": key, "x-auth-token": key }],
    ["a cookie", { cookie: `key=${key}; authorization=Bearer ${key}` }],
    ["a query string", {}, `?key=${key}&access_token=${key}`],
  ];

test.for(badCredentials)(
  "credentials as %s are answered 401, the same on every path",
  async ([title, headers, query]) => {
    const bodies = new Set<string>();
    for (const [method, path] of routes) {
      const hasKey = "authorization" in headers || "x-api-key" in headers;
      const isOpen = path === "/health" && method === "GET" && !hasKey;
      const response = await gateway.fetch(`${path}${query ?? ""}`, { method, headers });
      expect([path, response.status]).toEqual([path, isOpen ? 200 : 401]);
      const body = await response.text();
      if (isOpen) expect(body, title).toBe('{"ok":true}');
      else bodies.add(body);
      if (!isOpen) expect(response.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect([...bodies]).toEqual([
      expect.stringContaining(
        'the API key is missing or wrong: send \\"Authorization: Bearer KEY\\"',
      ) as string,
    ]);
  },
);

test.for(["Bearer", "bearer", "BEARER", "Bearer  "])(
  "the key is taken with the scheme %j",
  async (scheme) => {
    const response = await gateway.fetch("/v1/models", { headers: { authorization: `${scheme} ${key}` } });
    expect(response.status).toBe(200);
    await response.text();
  },
);

/** Sends a request for the models, with the key, over a socket. */
async function models(...lines: readonly string[]): Promise<number> {
  return statusOf(
    await rawHttp(gateway.port, head("GET /v1/models", ...lines, `authorization: Bearer ${key}`)),
  );
}

test.for<[status: number, host: string]>([
  [200, "127.0.0.1:PORT"],
  [200, "localhost:PORT"],
  [200, "LocalHost:PORT"],
  [200, "[::1]:PORT"],
  [200, "box.lan"],
  [421, "box.lan:PORT"],
  [421, "evil.example"],
  [421, "evil.example:PORT"],
  [421, "127.0.0.1"],
  [421, "localhost"],
  [421, "127.0.0.1:80"],
  [421, "127.0.0.1:1PORT"],
  [421, "127.0.0.1.evil.com:PORT"],
  [421, "localhost.evil.com:PORT"],
  [421, "localhost.:PORT"],
  [421, "127.0.0.1.:PORT"],
  [421, "0.0.0.0:PORT"],
  [421, "127.1:PORT"],
  [421, "2130706433:PORT"],
  [421, "user@127.0.0.1:PORT"],
  [421, "127.0.0.1:PORT, evil.example"],
  [421, "::1:PORT"],
  [421, ""],
])("status %i for Host: %s", async ([status, host]) => {
  expect(await models(`host: ${host.replace("PORT", String(gateway.port))}`)).toBe(status);
});

test("two Host headers are refused, also where both are right", async () => {
  const own = `host: 127.0.0.1:${gateway.port}`;
  expect(await models(own, "host: evil.example")).toBe(421);
  expect(await models("Host: evil.example", own)).toBe(421);
  expect(await models(own, own)).toBe(421);
});

test("no Host is refused, also in HTTP/1.0", async () => {
  expect(await models()).toBe(400);
  const old = `GET /v1/models HTTP/1.0\r\nauthorization: Bearer ${key}\r\n\r\n`;
  expect(statusOf(await rawHttp(gateway.port, old))).toBe(421);
});

test.for([
  "http://127.0.0.1:PORT/v1/models",
  "http://evil.example/v1/models",
  "*",
  "//evil.example/v1/models",
])("the target %s is not served", async (target) => {
  const port = String(gateway.port);
  const lines = [`host: 127.0.0.1:${port}`, `authorization: Bearer ${key}`];
  const status = statusOf(await rawHttp(gateway.port, head(`GET ${target.replace("PORT", port)}`, ...lines)));
  expect(status).toBe(target.startsWith("//") ? 404 : 400);
});

test.for<[title: string, status: number, headers: Record<string, string>]>([
  ["no Origin", 200, {}],
  ["another site's Origin", 403, { origin: "https://evil.example" }],
  ["its own address as Origin", 403, { origin: "OWN" }],
  ["Origin null", 403, { origin: "null" }],
  ["an empty Origin", 403, { origin: "" }],
  ["Sec-Fetch-Site: cross-site", 403, { "sec-fetch-site": "cross-site" }],
  ["Sec-Fetch-Site: none", 200, { "sec-fetch-site": "none" }],
  ["Sec-Fetch-Mode: cors, as Node sends it", 200, { "sec-fetch-mode": "cors" }],
])("%s is answered %i, and no answer tells a browser that it may read it", async ([, status, headers]) => {
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}: ${value.replace("OWN", gateway.url)}`,
  );
  const own = [`host: 127.0.0.1:${gateway.port}`, `authorization: Bearer ${key}`];
  const answer = await rawHttp(gateway.port, head("GET /v1/models", ...own, ...lines));
  expect(statusOf(answer)).toBe(status);
  expect(answer.toLowerCase()).not.toContain("access-control-");
});

test("Host and Origin are checked before the key, and a preflight is no exception", async () => {
  const origin = { origin: "https://evil.example", "access-control-request-method": "POST" };
  const preflight = await gateway.fetch("/v1/chat/completions", { method: "OPTIONS", headers: origin });
  expect(preflight.status).toBe(403);
  expect(await preflight.json()).toMatchObject({ error: { code: "origin_not_allowed" } });
});
