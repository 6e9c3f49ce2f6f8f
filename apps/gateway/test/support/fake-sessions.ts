import type { IncomingMessage, ServerResponse } from "node:http";
import type { SessionDetail, SessionInfo } from "@synthesis/protocol";

interface Entry {
  readonly caller: string;
  readonly detail: SessionDetail;
}

/** The sessions of a worker, for its HTTP API. */
export class FakeSessions {
  /** Those that were ended. */
  readonly ended: string[] = [];
  /** What an export says; default: one line. */
  writeExport = (response: ServerResponse): void => void response.end('{"session":"s"}\n');
  readonly #entries = new Map<string, Entry>();

  add(caller: string, session: Pick<SessionInfo, "id"> & Partial<SessionInfo>): void {
    const known = {
      key: "k",
      agent: "echo",
      state: "cold",
      createdAt: 1_000,
      usedAt: 2_000,
      turns: 0,
    } as const;
    this.#entries.set(session.id, {
      caller,
      detail: { session: { ...known, ...session }, allowed: [], turns: [] },
    });
  }

  addTurn(id: string, turn: SessionDetail["turns"][number]): void {
    this.#entries.get(id)?.detail.turns.push(turn);
  }

  readonly answer = ({ method, url }: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(url ?? "/", "http://worker");
    const [, , id, part] = pathname.split("/");
    const own = [...this.#entries.values()].filter(({ caller }) => caller === searchParams.get("caller"));
    if (id === undefined)
      return void response.end(JSON.stringify({ sessions: own.map(({ detail }) => detail.session) }));
    const found = own.find(({ detail }) => detail.session.id === id);
    if (found === undefined) {
      const error = { code: "session_not_found", message: "there is no such session here" };
      return void response.writeHead(409).end(JSON.stringify({ error }));
    }
    if (part === "export") return this.writeExport(response);
    if (method === "DELETE") this.ended.push(id);
    response.end(JSON.stringify(method === "DELETE" ? {} : found.detail));
  };
}
