import type { IncomingMessage } from "node:http";
import {
  AskAnswer,
  WireFailure,
  type AskDetail,
  type AskList,
  type AskSettlement,
} from "@synthesis/protocol";
import type { Workspace } from "../workspace.ts";

const PATH = /^\/asks(?:\/(?<id>[^/]+))?$/;
/** A verdict with its message and answers. */
const MAX_BYTES = 256 * 1024;

/**
 * The asks of a workspace: `GET /asks`, `GET` and `POST /asks/:id`, narrowed by `?caller=` as its sessions are.
 * Undefined: the request is for something else. Rejects with what `WorkspaceAsks` throws, and `invalid_request`.
 */
export async function answerAboutAsks(
  workspace: Workspace,
  request: IncomingMessage,
  { pathname, searchParams }: URL,
): Promise<AskList | AskDetail | AskSettlement | undefined> {
  const match = PATH.exec(pathname);
  if (match === null) return undefined;
  const { id } = match.groups ?? {};
  const caller = searchParams.get("caller") ?? undefined;
  if (request.method === "GET") {
    if (id === undefined) return { asks: [...workspace.asks.list(caller)] };
    return { ask: workspace.asks.find(id, caller).whole };
  }
  if (request.method !== "POST" || id === undefined) return undefined;
  const answer = AskAnswer.safeParse(await readBody(request));
  if (answer.success) return workspace.asks.answer(id, answer.data, caller);
  const message = "the verdict is not of its form: behavior is allow, always or deny, by is chat, api or cli";
  throw new WireFailure("invalid_request", message);
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
