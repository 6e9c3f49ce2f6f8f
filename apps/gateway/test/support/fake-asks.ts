import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import {
  readVerdict,
  type AgentAsk,
  type AskAnswer,
  type AskSettlement,
  type AskWay,
  type Said,
  type WireError,
} from "@synthesis/protocol";

interface Entry {
  readonly caller: string;
  readonly ask: AgentAsk;
  settlement?: AskSettlement;
}

/** An ask, as short as a test wants to say it. */
export function makeAsk(some: Partial<AgentAsk> = {}): AgentAsk {
  return {
    id: randomUUID(),
    turn: randomUUID(),
    session: "s",
    agent: "echo",
    kind: "permission",
    tool: "Write",
    title: "Write /etc/passwd",
    input: '{"file_path":"/etc/passwd"}',
    always: ["Write"],
    askedAt: 1_000,
    toldAt: 1_000,
    deadlineAt: 601_000,
    ...some,
  };
}

/** The asks of a worker, for its HTTP API: the first verdict counts. */
export class FakeAsks {
  /** Every verdict that came, with the ask's id. */
  readonly said: (AskAnswer & { readonly ask: string })[] = [];
  /** All that was said in a chat, with the ask's id. */
  readonly heard: (Said & { readonly ask: string })[] = [];
  /** How often the list was asked for. */
  lists = 0;
  /** By which ways a person may answer. */
  ways: readonly AskWay[] = ["chat", "api", "cli"];
  readonly #entries = new Map<string, Entry>();

  add(caller: string, ask: AgentAsk): AgentAsk {
    this.#entries.set(ask.id, { caller, ask });
    return ask;
  }

  settle(id: string, settlement: Omit<AskSettlement, "ask">): void {
    this.#entries.get(id)!.settlement = { ask: id, ...settlement };
  }

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#answer(request, response);
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://worker");
    const [, , id, said] = pathname.split("/");
    const caller = searchParams.get("caller");
    const own = [...this.#entries.values()].filter((entry) => caller === null || entry.caller === caller);
    if (id === undefined) {
      this.lists++;
      const asks = own.filter(({ settlement }) => settlement === undefined).map(({ ask }) => ask);
      return void response.end(JSON.stringify({ asks }));
    }
    const entry = own.find(({ ask }) => ask.id === id);
    if (entry === undefined) return refuse(response, 404, "ask_not_found", "there is no such ask here");
    const { ask, settlement } = entry;
    const body = request.method === "POST" ? await json(request) : undefined;
    if (settlement !== undefined)
      return refuse(
        response,
        409,
        "ask_settled",
        `the ask has its verdict: ${settlement.behavior}, by ${settlement.by}`,
      );
    if (body === undefined) return void response.end(JSON.stringify({ ask }));
    if (said !== undefined) return void response.end(JSON.stringify(this.#hear(entry, body as Said)));
    const { behavior, by } = body as AskAnswer;
    if (!this.ways.includes(by)) return refuse(response, 403, "ask_not_yours", `not by ${by}`);
    this.said.push({ ask: id, ...(body as AskAnswer) });
    entry.settlement = { ask: id, behavior, by };
    response.end(JSON.stringify(entry.settlement));
  }

  #hear(entry: Entry, said: Said): object {
    this.heard.push({ ask: entry.ask.id, ...said });
    const { toldAt = Infinity } = entry.ask;
    const verdict = toldAt < Date.now() ? readVerdict(said.words, entry.ask) : undefined;
    if (verdict === undefined) return {};
    entry.settlement = { ask: entry.ask.id, behavior: verdict.behavior, by: "chat" };
    return { settlement: entry.settlement };
  }
}

function refuse(response: ServerResponse, status: number, code: WireError["code"], message: string): void {
  response.writeHead(status).end(JSON.stringify({ error: { code, message } }));
}
