import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import {
  LocateFileRequest,
  type EnsureAnswer,
  type EnsureRequest,
  type StatusAnswer,
  type WireError,
} from "@synthesis/protocol";

/** The supervisor's control socket, real HTTP, answered by a test. */
export class FakeSupervisor {
  /** Every workspace it was asked for. */
  readonly asked: string[] = [];
  ensure: (workspace: string) => EnsureAnswer | WireError | Promise<EnsureAnswer | WireError>;
  status: StatusAnswer = { workers: [] };
  /** By id: the workspace that has the file. */
  readonly files = new Map<string, string>();
  readonly #http = createServer((request, response) => {
    void (async () => {
      if (request.method === "GET") return response.end(JSON.stringify(this.status));
      if (request.url === "/v1/files/locate") {
        const { data } = LocateFileRequest.safeParse(await json(request));
        const workspace = data && this.files.get(data.file);
        if (workspace !== undefined) return response.end(JSON.stringify({ workspace }));
        const code = data === undefined ? "invalid_request" : "file_not_found";
        const error = { code, message: "no workspace has it" };
        return response.writeHead(409).end(JSON.stringify({ error }));
      }
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
