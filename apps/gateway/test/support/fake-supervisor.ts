import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import type { EnsureAnswer, EnsureRequest, StatusAnswer, WireError } from "@synthesis/protocol";

/** The supervisor's control socket, real HTTP, answered by a test. */
export class FakeSupervisor {
  /** Every workspace it was asked for. */
  readonly asked: string[] = [];
  ensure: (workspace: string) => EnsureAnswer | WireError | Promise<EnsureAnswer | WireError>;
  status: StatusAnswer = { workers: [] };
  readonly #http = createServer((request, response) => {
    void (async () => {
      if (request.method === "GET") return response.end(JSON.stringify(this.status));
      const { workspace } = (await json(request)) as EnsureRequest;
      this.asked.push(workspace);
      const answer = await this.ensure(workspace);
      if ("socketPath" in answer) return response.end(JSON.stringify(answer));
      return response.writeHead(409).end(JSON.stringify({ error: answer }));
    })();
  });

  constructor(ensure: FakeSupervisor["ensure"]) {
    this.ensure = ensure;
  }

  async listen(socketPath: string): Promise<void> {
    this.#http.listen(socketPath);
    await once(this.#http, "listening");
  }

  async close(): Promise<void> {
    if (!this.#http.listening) return;
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }
}
