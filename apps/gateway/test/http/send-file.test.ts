import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { expectClean } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendFile } from "../../src/http/send-file.ts";
import { head, rawHttp } from "../support/raw-http.ts";

expectClean();

let server: Server;
let content: PassThrough;
let before: (response: ServerResponse) => void;
let sent: Promise<void>;
beforeEach(async () => {
  content = new PassThrough();
  before = () => {};
  const file = {
    name: "a.txt",
    mediaType: "text/plain",
    bytes: 10,
    attachedAt: 0,
    range: "whole" as const,
    content,
  };
  server = createServer((request, response) => {
    before(response);
    sent = sendFile(file, request, response, 50);
    sent.catch(() => {}); // a test looks at it later
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
});

const get = async () => rawHttp((server.address() as AddressInfo).port, head("GET /", "host: a"));

test("a file that falls silent is cut off, and not read any more", async () => {
  content.write("01234");
  const answer = await get();
  expect(answer).toContain("content-length: 10");
  expect(answer).toMatch(/\r\n\r\n01234$/);
  await expect(sent).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  expect(content.destroyed).toBe(true);
});

test("a file whose client was answered otherwise meanwhile is not read", async () => {
  before = (response) => response.writeHead(503).end();
  expect(await get()).toContain("503");
  await sent;
  expect(content.destroyed).toBe(true);
});
