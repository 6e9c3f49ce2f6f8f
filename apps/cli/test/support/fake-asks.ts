import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import { json } from "node:stream/consumers";
import type { AgentAsk, AskAnswer, AskSettlement } from "@synthesis/protocol";

/** An ask, as short as a test wants to say it. */
export function makeAsk(some: Partial<AgentAsk> = {}): AgentAsk {
  return {
    id: randomUUID(),
    turn: randomUUID(),
    session: "ses_1",
    agent: "site",
    kind: "permission",
    tool: "Write",
    title: "Write notes.txt",
    input: '{"file_path":"notes.txt"}',
    always: [],
    askedAt: Date.now(),
    deadlineAt: Date.now() + 600_000,
    ...some,
  };
}

/** Answers as a worker with these asks does; `said` gets each verdict that counted. */
export function workerWith(asks: readonly AgentAsk[], said: AskAnswer[] = []): RequestListener {
  const settled = new Map<string, AskSettlement>();
  return (request, response) => {
    const refuse = (status: number, code: string, message: string) =>
      void response.writeHead(status).end(JSON.stringify({ error: { code, message } }));
    const id = request.url?.split("/")[2];
    if (id === undefined) return void response.end(JSON.stringify({ asks }));
    const ask = asks.find((each) => each.id === id);
    if (ask === undefined) return refuse(404, "ask_not_found", "there is no such ask here");
    const known = settled.get(id);
    if (known !== undefined)
      return refuse(409, "ask_settled", `the ask has its verdict: ${known.behavior}, by ${known.by}`);
    if (request.method === "GET") return void response.end(JSON.stringify({ ask }));
    void json(request).then((body) => {
      const verdict = body as AskAnswer;
      const behavior = verdict.behavior === "always" && ask.always.length === 0 ? "allow" : verdict.behavior;
      said.push(verdict);
      settled.set(id, { ask: id, behavior, by: verdict.by });
      response.end(JSON.stringify(settled.get(id)));
    });
  };
}
