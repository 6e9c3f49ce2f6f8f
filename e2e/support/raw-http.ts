import { once } from "node:events";
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { json } from "node:stream/consumers";
import type { ErrorBody } from "./chat.ts";
import type { Synthesis } from "./synthesis.ts";

interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Partial<ErrorBody> & {
    readonly choices?: readonly { readonly message: { readonly content: string } }[];
  };
}

/**
 * `POST /v1/chat/completions` byte by byte: each chunk is written when the one before it has left. `headers`
 * replace the key and the content type.
 */
export async function postRaw(
  { endpoint, key }: Synthesis,
  chunks: readonly (Buffer | string)[],
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const outgoing = request(`${endpoint}/v1/chat/completions`, {
    method: "POST",
    agent: false,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
  });
  // An answer that came before the body was whole closes the connection.
  outgoing.on("error", () => {});
  const answered = once(outgoing, "response");
  for (const chunk of chunks) {
    const { promise, resolve } = Promise.withResolvers<void>();
    outgoing.write(chunk, () => resolve());
    await promise;
  }
  outgoing.end();
  const [response] = await answered;
  const { statusCode, headers: answerHeaders } = response;
  return { status: statusCode, headers: answerHeaders, body: (await json(response)) as RawAnswer["body"] };
}
