import type { IncomingMessage } from "node:http";
import {
  AskAnswer,
  Said,
  WireFailure,
  type AskDetail,
  type AskHeard,
  type AskList,
  type AskSettlement,
} from "@synthesis/protocol";
import * as z from "zod";
import type { Workspace } from "../workspace.ts";

const PATH = /^\/asks(?:\/(?<id>[^/]+)(?<said>\/said)?)?$/;
/** A verdict with its message and answers. */
const MAX_BYTES = 256 * 1024;

/**
 * The asks of a workspace: `GET /asks`, `GET` and `POST /asks/:id`, and `POST /asks/:id/said` for what a gateway was told in
 * the chat, narrowed by `?caller=` as its sessions are.
 * Undefined: the request is for something else. Rejects with what `WorkspaceAsks` throws, and `invalid_request`.
 */
export async function answerAboutAsks(
  workspace: Workspace,
  request: IncomingMessage,
  { pathname, searchParams }: URL,
): Promise<AskList | AskDetail | AskSettlement | AskHeard | undefined> {
  const match = PATH.exec(pathname);
  if (match === null) return undefined;
  const { id, said } = match.groups ?? {};
  const caller = searchParams.get("caller") ?? undefined;
  if (request.method === "GET" && said === undefined) {
    if (id === undefined) return { asks: [...workspace.asks.list(caller)] };
    return { ask: workspace.asks.find(id, caller).whole };
  }
  if (request.method !== "POST" || id === undefined) return undefined;
  const body = await readBody(request);
  if (said !== undefined) {
    const settlement = workspace.asks.hear(id, read(Said, body), caller);
    return settlement === undefined ? {} : { settlement };
  }
  return workspace.asks.answer(id, read(AskAnswer, body), caller);
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  throw new WireFailure("invalid_request", `the verdict is not of its form: ${z.prettifyError(error)}`);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_BYTES)
      throw new WireFailure("invalid_request", `the verdict is longer than ${MAX_BYTES} bytes`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WireFailure("invalid_request", "the verdict is not JSON", { cause });
  }
}
