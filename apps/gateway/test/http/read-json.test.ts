import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expectClean } from "@synthesis/testkit";
import type { Response } from "undici";
import { head, rawHttp, statusOf } from "../support/raw-http.ts";
import { key, RunningGateway } from "../support/running-gateway.ts";

const limit = 4096;
expectClean();

let gateway: RunningGateway;
beforeEach(async () => {
  gateway = await RunningGateway.start({ limits: { bodyBytes: limit } });
});
afterEach(async () => gateway.close());
const authorization = `Bearer ${key}`;

async function post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return gateway.fetch("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", ...headers },
    body,
  });
}

async function codeOf(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
}

/** A chat body of exactly `bytes` bytes that names no agent there is. */
function bodyOf(bytes: number): string {
  const text = JSON.stringify({ model: "ghost", messages: [{ role: "user", content: "" }] });
  return text.replace('""', `"${"x".repeat(bytes - text.length)}"`);
}

test.for<[title: string, headers: Record<string, string>, body?: Buffer]>([
  ["text/plain", { "content-type": "text/plain" }],
  ["a form", { "content-type": "application/x-www-form-urlencoded" }],
  ["multipart", { "content-type": "multipart/form-data; boundary=x" }],
  ["no type", { "content-type": "" }],
  ["a type that begins alike", { "content-type": "application/jsonx" }],
  ["JSON as a parameter", { "content-type": "text/plain; application/json" }],
  ["gzip", { "content-encoding": "gzip" }, gzipSync("x".repeat(100_000))],
])("a body as %s is answered 415", async ([, headers, body]) => {
  expect(await codeOf(await post(body ?? bodyOf(200), headers))).toEqual([415, "unsupported_media_type"]);
});

test.for(["application/json", "Application/JSON; charset=utf-8"])("a body as %s is read", async (type) => {
  expect(await codeOf(await post(bodyOf(200), { "content-type": type }))).toEqual([404, "model_not_found"]);
});

test.for<[bytes: number, answer: [number, string]]>([
  [limit - 1, [404, "model_not_found"]],
  [limit, [404, "model_not_found"]],
  [limit + 1, [413, "body_too_large"]],
  [limit * 1000, [413, "body_too_large"]],
])("a body of %i bytes is answered %j", async ([bytes, answer]) => {
  expect(await codeOf(await post(bodyOf(bytes)))).toEqual(answer);
});

const own = () => [
  `host: 127.0.0.1:${gateway.port}`,
  `authorization: ${authorization}`,
  "content-type: application/json",
];

test.for<[bytes: number, status: number]>([
  [limit, 404],
  [limit + 1, 413],
  [limit * 1000, 413],
])("a chunked body of %i bytes, without a length, is answered %i", async ([bytes, status]) => {
  const request = head("POST /v1/chat/completions", ...own(), "transfer-encoding: chunked");
  const chunks = bodyOf(bytes)
    .match(/.{1,60000}/g)!
    .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  const answer = await rawHttp(gateway.port, request, ...chunks, "0\r\n\r\n");
  expect(statusOf(answer)).toBe(status);
  if (status === 413) expect(answer).toContain(`larger than ${limit} bytes (limits.bodyBytes)`);
});

test.for(["", "{", "hello", '{"a":1}x', "'a'", "\u0000"])("the body %j is no JSON", async (body) => {
  expect(await codeOf(await post(body))).toEqual([400, "invalid_json"]);
});

test("a body that is not UTF-8 is no JSON", async () => {
  expect(await codeOf(await post(Buffer.from('{"model":"gr\u00fcn"}', "latin1")))).toEqual([
    400,
    "invalid_json",
  ]);
});

test("a multi-byte character cut between two TCP chunks arrives whole", async () => {
  const body = Buffer.from(
    JSON.stringify({ model: "echo", messages: [{ role: "user", content: "Grüße 🚀 東京" }] }),
  );
  const cut = body.indexOf(Buffer.from("🚀")) + 2;
  const request = head("POST /v1/chat/completions", ...own(), `content-length: ${body.length}`);
  const answer = rawHttp(gateway.port, request, body.subarray(0, cut), body.subarray(cut));
  const submit = await gateway.worker.next("submit");
  expect(submit.prompt).toBe("Grüße 🚀 東京");
  gateway.worker.answer(submit, "🚀");
  expect(await answer).toContain('"content":"🚀"');
});

test("100,000 brackets deep is a bad request like any other", async () => {
  const wide = await RunningGateway.start();
  try {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const bodies = [deep, `{"messages":${deep}}`, `{"messages":[{"role":"user","content":${deep}}]}`];
    for (const body of bodies) {
      const headers = { authorization, "content-type": "application/json" };
      const response = await wide.fetch("/v1/chat/completions", { method: "POST", headers, body });
      expect(await codeOf(response)).toEqual([400, "invalid_request"]);
    }
    const extra = `{"model":"ghost","messages":[{"role":"user","content":"x"}],"extra":${deep},"metadata":{"a":${deep}}}`;
    const headers = { authorization, "content-type": "application/json" };
    const response = await wide.fetch("/v1/chat/completions", { method: "POST", headers, body: extra });
    expect(await codeOf(response)).toEqual([404, "model_not_found"]);
  } finally {
    await wide.close();
  }
});

test("__proto__ in a body changes nothing", async () => {
  const hostile =
    '{"__proto__":{"model":"echo"},"model":"ghost","messages":[{"role":"user","content":"x"}],"constructor":{"prototype":{"a":1}}}';
  expect(await codeOf(await post(hostile))).toEqual([404, "model_not_found"]);
  expect(Object.keys(Object.prototype)).toEqual([]);
});
