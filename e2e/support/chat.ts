import type { Synthesis } from "./synthesis.ts";

/** A chat request, as short as a test wants to say it. */
export interface Chat {
  /** The agent; absent: none is named. */
  readonly model?: string;
  /** One user message, or the whole list. */
  readonly say: string | readonly { readonly role: string; readonly content: string }[];
  /** The value of `x-openclaw-session-key`. */
  readonly session?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly code: string };
}

/** A non-streamed answer; `content` where it is one, `error` where it is not. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly content: string | undefined;
  readonly error: ErrorBody["error"] | undefined;
}

/** Posts the request as it is described; nothing of the answer is read. */
export async function post(synthesis: Synthesis, chat: Chat, stream: boolean): Promise<Response> {
  const { model, say, session, headers, body, signal } = chat;
  const messages = typeof say === "string" ? [{ role: "user", content: say }] : say;
  return fetch(`${synthesis.endpoint}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${synthesis.key}`,
      "content-type": "application/json",
      ...(session === undefined ? {} : { "x-openclaw-session-key": session }),
      ...headers,
    },
    body: JSON.stringify({ ...(model === undefined ? {} : { model }), messages, stream, ...body }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** One turn, not streamed. */
export async function ask(synthesis: Synthesis, chat: Chat): Promise<Answer> {
  const response = await post(synthesis, chat, false);
  const body = (await response.json()) as Partial<ErrorBody> & {
    readonly choices?: readonly { readonly message: { readonly content: string } }[];
  };
  const { status, headers } = response;
  return { status, headers, content: body.choices?.[0]?.message.content, error: body.error };
}
