import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage, type ServerResponse } from "node:http";
import { NotFoundError } from "openai";
import { eventually, expectClean } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeFiles, fakeFile, fileId, type FakeFile } from "../support/fake-files.ts";
import { head, rawHttp, statusOf } from "../support/raw-http.ts";
import { key, RunningGateway } from "../support/running-gateway.ts";
import { openaiOf } from "../support/sdk-clients.ts";

expectClean();

const MIB = 1024 * 1024;

let gateway: RunningGateway;
let files: FakeFiles;
beforeEach(async () => {
  gateway = await RunningGateway.start();
  files = new FakeFiles();
  gateway.worker.onRequest = files.answer;
});
afterEach(async () => gateway.close());

/** Attaches a file in workspace demo; its id. */
function attach(file: FakeFile): string {
  const id = files.add(file);
  gateway.supervisor.files.set(id, "demo");
  return id;
}

async function failed(path: string, headers: Record<string, string> = {}) {
  const response = await gateway.fetch(path, { headers });
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

test("OpenAI's SDK retrieves a file and its content", async () => {
  const content = randomBytes(300_000);
  const id = attach(fakeFile("plot.png", "image/png", content));
  const client = openaiOf(gateway);
  expect(await client.files.retrieve(id)).toEqual({
    id,
    object: "file",
    bytes: 300_000,
    created_at: Date.UTC(2026, 10, 22, 12) / 1_000,
    filename: "plot.png",
    purpose: "assistants_output",
    status: "processed",
  });
  const response = await client.files.content(id);
  expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
  await expect(client.files.content(fileId())).rejects.toThrow(NotFoundError);
});

test("a link needs no key, and none is looked at", async () => {
  const id = attach(fakeFile("notes.txt", "text/plain", "the notes"));
  for (const headers of [{}, { authorization: "Basic dTpw" }, { "x-api-key": "sk-the-wrong-key" }]) {
    const response = await gateway.fetch(`/v1/files/${id}/content`, { headers });
    expect([response.status, await response.text()]).toEqual([200, "the notes"]);
    expect((await gateway.fetch(`/v1/files/${id}`, { headers })).status).toBe(200);
  }
});

test.for([
  ["another host", "host: evil.example", 421],
  ["a page's script", "origin: https://evil.example", 403],
  ["a page that shows it or leads to it", "sec-fetch-site: cross-site", 200],
] as const)("for %s a link is answered as everything is, or as links are", async ([, line, status]) => {
  const id = attach(fakeFile("a.png", "image/png", "png"));
  const own = line.startsWith("host") ? [line] : [line, `host: 127.0.0.1:${gateway.port}`];
  for (const path of [`/v1/files/${id}`, `/v1/files/${id}/content`])
    expect(statusOf(await rawHttp(gateway.port, head(`GET ${path}`, ...own)))).toBe(status);
  const models = [...own, `authorization: Bearer ${key}`];
  expect(statusOf(await rawHttp(gateway.port, head("GET /v1/models", ...models)))).not.toBe(200);
});

test.for(["POST", "PUT", "DELETE", "OPTIONS"])("%s of a link needs a key, and is refused", async (method) => {
  const id = attach(fakeFile("a.txt", "text/plain", "a"));
  for (const path of [`/v1/files/${id}`, `/v1/files/${id}/content`]) {
    expect((await gateway.fetch(path, { method })).status).toBe(401);
    const refused = await gateway.ask(method, path);
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET"]);
    await refused.text();
  }
  expect(files.asked).toEqual([]);
});

test("nobody lists files, or looks beside one", async () => {
  const id = attach(fakeFile("a.txt", "text/plain", "a"));
  for (const path of ["/v1/files", "/v1/files/", `/v1/files/${id}/`, `/v1/files/${id}/content/x`]) {
    expect((await gateway.fetch(path)).status).toBe(401);
    expect((await gateway.ask("GET", path)).status).toBe(404);
  }
});

test.for<[what: string, id: string]>([
  ["an id that nobody has", `file-${"x".repeat(32)}`],
  ["a shorter one", `file-${"x".repeat(31)}`],
  ["a longer one", `file-${"x".repeat(33)}`],
  ["another prefix", `resp_${"x".repeat(32)}`],
  ["the folder above", ".."],
  ["the folder above, encoded", "%2e%2e"],
  ["a path, encoded", `file-${"x".repeat(26)}%2F..%2F`],
  ["an encoded id", `%66ile-${"x".repeat(32)}`],
  ["NUL", `file-${"x".repeat(32)}%00`],
  ["a line's end", `file-${"x".repeat(32)}%0a`],
  ["what is no encoding", "%zz"],
  ["10 kB", "f".repeat(10_000)],
])("%s is 404, and asks no worker", async ([, id]) => {
  for (const part of ["", "/content"]) {
    const lines = [`host: 127.0.0.1:${gateway.port}`];
    const answer = await rawHttp(gateway.port, head(`GET /v1/files/${id}${part}`, ...lines));
    expect(statusOf(answer)).toBe(404);
    expect(JSON.parse(answer.split("\r\n\r\n")[1]!)).toEqual({
      error: {
        message: "there is no file with this id, or it is not kept any more: ask the agent for it again",
        type: "invalid_request_error",
        param: null,
        code: "file_not_found",
      },
    });
  }
  expect([gateway.supervisor.asked, files.asked]).toEqual([[], []]);
});

test("for a file of a workspace at rest its worker is started", async () => {
  const id = attach(fakeFile("a.txt", "text/plain", "a"));
  gateway.supervisor.status = { workers: [] };
  expect(await (await gateway.fetch(`/v1/files/${id}/content`)).text()).toBe("a");
  expect(gateway.supervisor.asked).toEqual(["demo"]);
});

test("a file that its worker has no more, or whose workspace is configured no more, is 404 without a word where it was", async () => {
  const id = fileId();
  gateway.supervisor.files.set(id, "/home/me/secret-project");
  const gone = { status: 404, code: "file_not_found" };
  expect(await failed(`/v1/files/${id}/content`)).toMatchObject(gone);
  expect(files.asked).toEqual([`/files/${id}`]);
  gateway.worker.drop();
  for (const code of ["workspace_not_allowed", "workspace_not_found"] as const) {
    gateway.supervisor.ensure = () => ({ code, message: "/home/me/secret-project may not be opened" });
    const failure = await failed(`/v1/files/${fileOf("/home/me/other")}`);
    expect(failure).toMatchObject(gone);
    expect(failure.message).not.toContain("/home");
  }
});

/** A file that a workspace has which the gateway has no link to. */
function fileOf(workspace: string): string {
  const id = fileId();
  gateway.supervisor.files.set(id, workspace);
  return id;
}

test("while its worker does not serve a file is told to be asked for again", async () => {
  gateway.supervisor.ensure = () => ({
    code: "too_many_workspaces",
    message: "64 workspaces are at work, demo among them",
    retryAfterMs: 9_000,
  });
  const response = await gateway.fetch(`/v1/files/${fileOf("demo")}/content`);
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "9"]);
  expect(await response.text()).not.toContain("demo");
});

test("a file whose worker dies in the moment when it is asked is had from the next one", async () => {
  const id = attach(fakeFile("a.txt", "text/plain", "a"));
  const { worker } = gateway;
  await gateway.fetch(`/v1/files/${id}`);
  worker.onRequest = (_request, response) => {
    response.destroy();
    setTimeout(() => worker.drop(), 20);
  };
  const next = await gateway.nextWorker();
  next.onRequest = files.answer;
  expect(await (await gateway.fetch(`/v1/files/${id}/content`)).text()).toBe("a");
});

test.for<[what: string, head: FakeFile["head"]]>([
  ["no length", { "content-type": "image/png", "x-file-name": "a" }],
  ["no name", { "content-length": 1, "content-type": "image/png" }],
  ["a name that is no encoding", { "x-file-name": "%zz" }],
  ["a type that is none", { "content-type": "image png" }],
  ["a time that is none", { "last-modified": "yesterday" }],
  ["a part that is none", { "content-range": "bytes 5-" }],
])("a worker's answer with %s is not passed on", async ([what, some]) => {
  const whole = what.startsWith("no ") ? {} : fakeFile("a", "image/png", "a").head;
  const isClosed: Promise<unknown>[] = [];
  const id = attach({
    head: { ...whole, ...some },
    write: (response) => {
      response.write("a");
      isClosed.push(once(response, "close"));
    },
  });
  expect(await failed(`/v1/files/${id}/content`)).toMatchObject({ status: 503, code: "worker_unavailable" });
  await Promise.all(isClosed);
});

test.for<[type: string, sent: string, disposition: string]>([
  ["image/png", "image/png", "inline"],
  ["IMAGE/JPEG", "image/jpeg", "inline"],
  ["image/gif", "image/gif", "inline"],
  ["image/webp", "image/webp", "inline"],
  ["text/plain", "text/plain; charset=utf-8", "inline"],
  ["text/plain; charset=utf-16", "text/plain; charset=utf-8", "inline"],
  ["text/html", "text/html", "attachment"],
  ["text/html; charset=utf-8", "text/html", "attachment"],
  ["application/xhtml+xml", "application/xhtml+xml", "attachment"],
  ["image/svg+xml", "image/svg+xml", "attachment"],
  ["text/xml", "text/xml", "attachment"],
  ["text/javascript", "text/javascript", "attachment"],
  ["application/pdf", "application/pdf", "attachment"],
  ["application/octet-stream", "application/octet-stream", "attachment"],
])("%s is sent as %s, %s", async ([type, sent, disposition]) => {
  const id = attach(fakeFile("a.bin", type, "<script>alert(1)</script>"));
  for (const method of ["GET", "HEAD"]) {
    const response = await gateway.fetch(`/v1/files/${id}/content`, { method });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": sent,
      "content-length": "25",
      "content-disposition": `${disposition}; filename="a.bin"; filename*=UTF-8''a.bin`,
      "last-modified": "Sun, 22 Nov 2026 12:00:00 GMT",
      "cache-control": "private, max-age=86400, immutable",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
      "cross-origin-resource-policy": "cross-origin",
    });
    expect(await response.text()).toBe(method === "HEAD" ? "" : "<script>alert(1)</script>");
  }
});

test("a name that ends lines or forges headers stays a name", async () => {
  const name = 'a"\r\nset-cookie: a=b\r\n\r\n<b>;\u0000 ä 🦉.txt';
  const id = attach(fakeFile(name, "text/plain", "a"));
  expect(await (await gateway.fetch(`/v1/files/${id}`)).json()).toMatchObject({ filename: name });
  const answer = await rawHttp(
    gateway.port,
    head(`GET /v1/files/${id}/content`, `host: 127.0.0.1:${gateway.port}`),
  );
  const lines = answer.split("\r\n");
  expect(lines.filter((line) => /^(set-cookie|<b>)/.test(line))).toEqual([]);
  const exact = /filename\*=UTF-8''(\S+)$/.exec(lines.find((line) => line.startsWith("content-disp"))!)![1]!;
  expect(decodeURIComponent(exact)).toBe(name);
});

/** A file of 25 MiB that is written as fast as the gateway takes it. */
function largeFile() {
  const state = { written: 0, isClosed: false };
  const bytes = 25 * MIB;
  const file = fakeFile("large.bin", "application/octet-stream", "");
  const id = attach({
    head: { ...file.head, "content-length": bytes },
    write: (response) => {
      const chunk = Buffer.alloc(65_536, 7);
      const write = () => {
        while (state.written < bytes) {
          state.written += chunk.length;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on("drain", write).on("close", () => (state.isClosed = true));
      write();
    },
  });
  return { id, state };
}

/** A client that has the head, and reads on only when it is told to. */
async function reader(id: string): Promise<IncomingMessage> {
  const asking = request(`${gateway.url}/v1/files/${id}/content`, { agent: false }).end();
  const [reading] = (await once(asking, "response")) as [IncomingMessage];
  return reading;
}

/** Waits till the worker gets rid of nothing more. */
async function stalled(state: { readonly written: number }): Promise<void> {
  let before = -1;
  await eventually(() => {
    const isStill = state.written === before;
    before = state.written;
    expect(isStill).toBe(true);
  });
}

test("a file is read no faster than its client reads it, to its last byte", async () => {
  const { id, state } = largeFile();
  const reading = await reader(id);
  await stalled(state);
  expect(state.written).toBeLessThan(16 * MIB); // what the kernel's buffers hold
  let bytes = 0;
  for await (const chunk of reading as AsyncIterable<Buffer>) bytes += chunk.length;
  expect(bytes).toBe(25 * MIB);
  await eventually(() => expect(state.isClosed).toBe(true));
});

test("a client that leaves ends the worker's reading", async () => {
  const { id, state } = largeFile();
  const reading = await reader(id);
  await stalled(state);
  expect(state.isClosed).toBe(false);
  reading.on("error", () => {}).destroy();
  await eventually(() => expect(state.isClosed).toBe(true));
  expect(state.written).toBeLessThan(25 * MIB);
});

test("a client that leaves before the worker answers ends it too", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
  gateway.worker.onRequest = (_request, response) => resolve(response);
  const leaving = new AbortController();
  const answer = gateway.fetch(`/v1/files/${fileOf("demo")}/content`, { signal: leaving.signal });
  const response = await asked;
  leaving.abort();
  await expect(answer).rejects.toThrow("aborted");
  await (await gateway.ask("GET", "/v1/models")).text(); // by now the gateway knows
  const closed = once(response, "close");
  response.writeHead(200, fakeFile("a", "image/png", "a").head).flushHeaders();
  await closed;
  expect(response.writableFinished).toBe(false);
});

test.for(["dies", "ends too early"])(
  "a file whose worker %s is no whole file for its client",
  async (how) => {
    const file = fakeFile("a.txt", "text/plain", "0123456789");
    const id = attach({
      ...file,
      write: (response) =>
        response.write("01234", () => (how === "dies" ? response.destroy() : response.socket!.end())),
    });
    const response = await gateway.fetch(`/v1/files/${id}/content`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
    const raw = await rawHttp(
      gateway.port,
      head(`GET /v1/files/${id}/content`, `host: 127.0.0.1:${gateway.port}`),
    );
    expect(raw).toContain("content-length: 10\r\n");
    expect(raw.split("\r\n\r\n")[1]).not.toHaveLength(10);
  },
);

test("what a file is costs its worker no more than the head", async () => {
  const { id, state } = largeFile();
  expect(await (await gateway.fetch(`/v1/files/${id}`)).json()).toMatchObject({ bytes: 25 * MIB });
  await eventually(() => expect(state.isClosed).toBe(true));
  const headOnly = await gateway.fetch(`/v1/files/${id}/content`, { method: "HEAD" });
  expect(headOnly.headers.get("content-length")).toBe(String(25 * MIB));
  expect(state.written).toBeLessThan(25 * MIB);
});
