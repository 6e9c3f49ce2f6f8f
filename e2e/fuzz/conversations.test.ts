import { randomInt } from "node:crypto";
import { expectClean } from "@synthesis/testkit";
import * as fc from "fast-check";
import { Agent, request } from "undici";
import { expect, test } from "vitest";
import { startWithFakeClaude } from "../support/fake-claude.ts";
import { conversationRequest, type ConversationRequest } from "./conversation-request.ts";

expectClean();

const SEED = Number(process.env["SYNTHESIS_FUZZ_SEED"] ?? randomInt(2 ** 31));
const REQUESTS = Number(process.env["SYNTHESIS_FUZZ_CONVERSATIONS"] ?? 400);
const SESSIONS = 6;
const CLIENTS = 8;
/** An answer that takes longer hangs. */
const PATIENCE_MS = 20_000;
/** What may end a turn here that was taken: another request interrupted it, or its session's history went on. */
const FAIRLY_REFUSED: ReadonlySet<number> = new Set([200, 400, 409, 422, 429, 499]);

test(`no history in any API makes a frame that a worker does not understand (seed ${SEED})`, async () => {
  await using synthesis = await startWithFakeClaude({ config: { log: { level: "warn" } } });
  const agent = new Agent({ connections: CLIENTS, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const answers = new Map<string, number>();
  const faults: string[] = [];
  const queue = fc.sample(conversationRequest(SESSIONS), { seed: SEED, numRuns: REQUESTS }).values();

  const send = async ({ path, headers, body }: ConversationRequest): Promise<void> => {
    const { statusCode: status, body: answer } = await request(`${synthesis.endpoint}${path}`, {
      dispatcher: agent,
      method: "POST",
      headers: { authorization: `Bearer ${synthesis.key}`, ...headers },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    const name = `${path} ${status}`;
    answers.set(name, (answers.get(name) ?? 0) + 1);
    if (!FAIRLY_REFUSED.has(status) || text.includes("turn_interrupted"))
      faults.push(
        `${status}: ${path} ${JSON.stringify(headers)} ${JSON.stringify(body)} -> ${text.slice(0, 500)}`,
      );
  };
  const client = async (): Promise<void> => {
    for (const one of queue)
      await send(one).catch((error: unknown) => faults.push(`${String(error)}: ${JSON.stringify(one)}`));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await agent.close();

  const counts = [...answers].map(([name, count]) => `${name}: ${count}`).join(", ");
  process.stderr.write(`fuzz: seed ${SEED}, ${REQUESTS} conversations, answers: ${counts}\n`);
  expect(synthesis.log.text).not.toContain("gateway_link.malformed");
  expect(synthesis.log.text).not.toMatch(/"level":"error"/);
  expect(faults.slice(0, 5), `${faults.length} faults`).toEqual([]);
  for (const path of ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
    expect(answers.get(`${path} 200`)).toBeGreaterThan(REQUESTS / 12);
  await synthesis.healthy({ ok: true, turns: 0, waiting: 0 });
}, 240_000);
