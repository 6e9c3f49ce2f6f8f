import { eventually } from "@synthesis/testkit";
import { expect } from "vitest";
import { Cli } from "./cli.ts";
import type { Synthesis } from "./synthesis.ts";

/** An open ask, as the API tells it. */
export interface Ask {
  readonly id: string;
  readonly session: string;
  readonly tool: string;
  readonly kind: string;
  readonly title: string;
  readonly always: readonly string[];
}

export interface AskAnswer {
  readonly status: number;
  readonly body: {
    readonly id?: string;
    readonly behavior?: string;
    readonly by?: string;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

async function call({ endpoint, key }: Synthesis, path: string, body?: object): Promise<Response> {
  return fetch(`${endpoint}/v1/synthesis/asks${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The open asks. */
export async function openAsks(synthesis: Synthesis): Promise<readonly Ask[]> {
  const list = (await (await call(synthesis, "")).json()) as { readonly data: readonly Ask[] };
  return list.data;
}

/** The one open ask, once there is one. */
export async function openAsk(synthesis: Synthesis): Promise<Ask> {
  let asks: readonly Ask[] = [];
  await eventually(async () => expect((asks = await openAsks(synthesis))).toHaveLength(1));
  return asks[0]!;
}

/** Says a verdict over the API. */
export async function settle(synthesis: Synthesis, id: string, verdict: object): Promise<AskAnswer> {
  const response = await call(synthesis, `/${id}`, verdict);
  return { status: response.status, body: (await response.json()) as AskAnswer["body"] };
}

/** Runs `synthesis asks …` to its end. */
export async function asksCommand(
  { folder }: Synthesis,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const cli = new Cli(["asks", ...args, "--state-dir", folder.join("state")], folder);
  const { code } = await cli.exit;
  return { code, out: cli.stdout.text, err: cli.stderr.text };
}
