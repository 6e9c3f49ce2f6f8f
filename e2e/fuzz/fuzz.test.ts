import { randomInt } from "node:crypto";
import { expectClean } from "@synthesis/testkit";
import * as fc from "fast-check";
import { Agent, request } from "undici";
import { expect, test } from "vitest";
import { Synthesis } from "../support/synthesis.ts";
import { generatedRequest, type GeneratedRequest } from "./generated-request.ts";
import { faultOf } from "./judge-answer.ts";

expectClean();

const SEED = Number(process.env["SYNTHESIS_FUZZ_SEED"] ?? randomInt(2 ** 31));
const BODIES = Number(process.env["SYNTHESIS_FUZZ_BODIES"] ?? 10_000);
const CLIENTS = 16;
/** An answer that takes longer hangs. */
const PATIENCE_MS = 20_000;

test(`no request makes the gateway fail or hang, and every refusal says why (seed ${SEED})`, async () => {
  await using synthesis = await Synthesis.start({ config: { log: { level: "warn" } } });
  const agent = new Agent({ connections: CLIENTS, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  const answers = new Map<number, number>();
  const faults: string[] = [];
  const queue = fc.sample(generatedRequest, { seed: SEED, numRuns: BODIES }).values();
  const before = synthesis.process("synthesis-gateway").pid;

  const send = async ({ headers, body }: GeneratedRequest): Promise<void> => {
    const { statusCode: status, body: answer } = await request(`${synthesis.endpoint}/v1/chat/completions`, {
      dispatcher: agent,
      method: "POST",
      headers: { authorization: `Bearer ${synthesis.key}`, ...headers },
      body,
    });
    const text = await answer.text();
    answers.set(status, (answers.get(status) ?? 0) + 1);
    const fault = faultOf({ status, text }, body);
    if (fault !== undefined)
      faults.push(
        `${fault}: ${JSON.stringify(headers)} ${body.toString("utf8").slice(0, 2_000)} -> ${status} ${text.slice(0, 500)}`,
      );
  };
  const client = async (): Promise<void> => {
    for (const one of queue) {
      await send(one).catch((error: unknown) =>
        faults.push(`${String(error)}: ${one.body.toString("utf8")}`),
      );
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await agent.close();

  const counts = [...answers].map(([status, count]) => `${status}: ${count}`).join(", ");
  process.stderr.write(`fuzz: seed ${SEED}, ${BODIES} bodies, answers by status: ${counts}\n`);
  expect(faults.slice(0, 5), `${faults.length} faults`).toEqual([]);
  expect(answers.get(200)).toBeGreaterThan(BODIES / 20);
  expect(answers.get(400)).toBeGreaterThan(BODIES / 5);
  expect(synthesis.process("synthesis-gateway").pid).toBe(before);
  expect(synthesis.log.text).not.toMatch(/"level":"error"/);
  await synthesis.healthy({ ok: true, turns: 0, waiting: 0 });
}, 240_000);
