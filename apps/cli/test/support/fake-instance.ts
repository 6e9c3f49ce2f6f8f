import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { json } from "node:stream/consumers";
import { controlSocketPath, locate } from "@synthesis/config";
import type { QueriedWorkers } from "@synthesis/kit";
import type { EnsureRequest } from "@synthesis/protocol";
import { tempFolder } from "@synthesis/testkit";
import { ControlClient } from "../../src/control-client.ts";
import { instanceWorkers, type InstanceWorker } from "../../src/instance-workers.ts";

/** A control socket and workers' sockets, answered by hand: by workspace, what its worker says, or that it is dead. */
export class FakeInstance implements AsyncDisposable {
  /** What a command needs to find it. */
  readonly places: readonly string[];
  readonly #stack: AsyncDisposableStack;
  readonly #client: ControlClient;

  private constructor(places: readonly string[], client: ControlClient, stack: AsyncDisposableStack) {
    this.places = places;
    this.#client = client;
    this.#stack = stack;
  }

  static async start(workspaces: Readonly<Record<string, RequestListener | "dead">>): Promise<FakeInstance> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder());
    const [stateDir, runtimeDir] = [folder.join("state"), folder.join("run")];
    const locations = locate({ stateDir, runtimeDir }, {});
    await mkdir(locations.runtimeDir, { recursive: true });
    const socketOf = (name: string) => folder.join(`${name}.sock`);
    const workers = Object.keys(workspaces).map((workspace) => ({
      workspace,
      path: `/srv/${workspace}`,
      state: "serving",
      restarts: 0,
    }));
    await listen(stack, controlSocketPath(locations.runtimeDir), (request, response) => {
      if (request.method === "GET") return void response.end(JSON.stringify({ workers }));
      void json(request).then((body) => {
        const workspace = (body as EnsureRequest).workspace.replace("/srv/", "");
        response.end(JSON.stringify({ workspace, epoch: 1, socketPath: socketOf(workspace) }));
      });
    });
    for (const [name, answer] of Object.entries(workspaces))
      if (answer !== "dead") await listen(stack, socketOf(name), answer);
    const places = ["--state-dir", stateDir, "--runtime-dir", runtimeDir];
    return new FakeInstance(places, new ControlClient(locations), stack.move());
  }

  workers(workspace?: string): QueriedWorkers<InstanceWorker> {
    return instanceWorkers(this.#client, workspace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function listen(
  stack: AsyncDisposableStack,
  socketPath: string,
  answer: RequestListener,
): Promise<void> {
  const server = createServer(answer).listen(socketPath);
  await once(server, "listening");
  stack.defer(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
}
