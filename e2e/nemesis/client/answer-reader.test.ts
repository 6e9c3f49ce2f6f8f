import { expect, test } from "vitest";
import { AnswerReader } from "./answer-reader.ts";

const chunk = (seq: number, content: string) =>
  `id: t:${seq}\ndata: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const errorEvent = (code: string) => `data: ${JSON.stringify({ error: { code, message: "because" } })}\n\n`;

function stream(text: string, known = ""): AnswerReader {
  const reader = new AnswerReader({ status: 200, isStream: true, shouldRetry: undefined }, known);
  // Byte by byte: nothing may depend on how the network cuts it.
  for (const byte of Buffer.from(text)) reader.push(Buffer.of(byte));
  return reader;
}

function whole(status: number, body: object, shouldRetry?: string) {
  const reader = new AnswerReader({ status, isStream: false, shouldRetry }, "");
  reader.push(Buffer.from(JSON.stringify(body)));
  return { outcome: reader.end(), text: reader.text };
}

test("a stream's text, numbers and last event are known, after an earlier connection's too", () => {
  const reader = stream(`: life\n\n${chunk(3, "ä")}${chunk(4, "b")}data: [DONE]\n\n`, "known ");
  expect(reader).toMatchObject({ text: "known äb", seqs: [3, 4], lastEventId: "t:4" });
  expect(reader.end()).toEqual({ kind: "completed" });
});

test("a stream without [DONE] or an error is truncated where it ends in order, and cut where it does not", () => {
  expect(stream(chunk(1, "a")).end()).toMatchObject({ kind: "truncated" });
  expect(stream(chunk(1, "a")).cut("reset")).toEqual({ kind: "cut", why: "reset" });
  expect(stream("data: [DONE]\n\n").cut("reset")).toEqual({ kind: "completed" });
});

test("an error event is an end unless it was said before acceptance", () => {
  expect(stream(errorEvent("turn_interrupted")).end()).toMatchObject({ isRetryable: false });
  expect(stream(errorEvent("worker_unavailable")).end()).toMatchObject({ isRetryable: true });
});

test("a whole answer is complete with its text, and an error is repeated where its answer says so", () => {
  const completion = { choices: [{ message: { content: "all" } }] };
  expect(whole(200, completion)).toEqual({ outcome: { kind: "completed" }, text: "all" });
  const error = { error: { code: "queue_full", message: "full" } };
  expect(whole(429, error, "true").outcome).toMatchObject({ code: "queue_full", isRetryable: true });
  expect(whole(503, error, "false").outcome).toMatchObject({ isRetryable: false });
  expect(whole(502, {}).outcome).toMatchObject({ code: "http_502" });
  expect(whole(200, {}).outcome).toMatchObject({ kind: "truncated" });
});
