import OpenAI, { APIError } from "openai";
import { promptOf, type Order } from "../conversation/order.ts";
import type { Instance } from "../instance/instance.ts";

/** The openai SDK as people use it: with its own retries, where it has any. */
export function sdkFor({ port, key }: Instance): OpenAI {
  return new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: key });
}

/** One turn of a session by the SDK. */
export interface SdkTurn {
  readonly agent: string;
  readonly session: string;
  readonly order: Order;
}

function bodyOf({ agent, order }: SdkTurn) {
  return { model: agent, messages: [{ role: "user" as const, content: promptOf(order) }] };
}

/** Not streamed: whatever is repeated, the SDK repeats by itself. */
export async function wholeTurn(client: OpenAI, turn: SdkTurn): Promise<string> {
  const headers = { "x-openclaw-session-key": turn.session };
  const completion = await client.chat.completions.create(bodyOf(turn), { headers });
  return completion.choices[0]?.message.content ?? "";
}

/** How often a caller posts a cut stream again. */
const MAX_POSTS = 10;

/** Streamed: the SDK never retries once headers came, so its caller posts again under the same `Idempotency-Key`. */
export async function streamedTurn(client: OpenAI, turn: SdkTurn): Promise<string> {
  const headers = {
    "x-openclaw-session-key": turn.session,
    "Idempotency-Key": `key-${turn.order.canary}`,
  };
  for (let posts = 1; ; posts++) {
    let text = "";
    let reason: string | null | undefined;
    try {
      const stream = await client.chat.completions.create({ ...bodyOf(turn), stream: true }, { headers });
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? "";
        reason = choices[0]?.finish_reason ?? reason;
      }
      // A connection that is lost between two chunks ends the SDK's loop without an error.
      if (reason === "stop") return text;
    } catch (error) {
      if (error instanceof APIError && error.code !== undefined && error.code !== null) throw error;
      if (posts >= MAX_POSTS) throw error;
    }
    if (posts >= MAX_POSTS) throw new Error(`${turn.order.canary} was cut ${posts} times`);
  }
}
