import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { json } from "node:stream/consumers";
import { controlSocketPath, locate } from "@synthesis/config";
import type { EnsureRequest, SessionDetail } from "@synthesis/protocol";
import { expectClean, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ControlClient } from "../src/control-client.ts";
import { InstanceSessions } from "../src/instance-sessions.ts";

expectClean();

/** A control socket and workers' sockets, answered by hand: by workspace, the ids of its sessions, or that it is dead. */
class FakeInstance implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  #client: ControlClient | undefined;

  static async start(
    workspaces: Readonly<Record<string, readonly string[] | "dead">>,
  ): Promise<FakeInstance> {
    const instance = new FakeInstance();
    const folder = instance.#stack.use(await tempFolder());
    const locations = locate({ stateDir: folder.join("state"), runtimeDir: folder.join("run") }, {});
    await mkdir(locations.runtimeDir, { recursive: true });
    const socketOf = (name: string) => folder.join(`${name}.sock`);
    const workers = Object.keys(workspaces).map((workspace) => ({
      workspace,
      path: `/srv/${workspace}`,
      state: "serving",
      restarts: 0,
    }));
    await instance.#listen(controlSocketPath(locations.runtimeDir), (request, response) => {
      if (request.method === "GET") return void response.end(JSON.stringify({ workers }));
      void json(request).then((body) => {
        const workspace = (body as EnsureRequest).workspace.replace("/srv/", "");
        response.end(JSON.stringify({ workspace, epoch: 1, socketPath: socketOf(workspace) }));
      });
    });
    for (const [name, ids] of Object.entries(workspaces))
      if (ids !== "dead") await instance.#listen(socketOf(name), worker(ids));
    instance.#client = new ControlClient(locations);
    return instance;
  }

  sessions(workspace?: string): InstanceSessions {
    return new InstanceSessions(this.#client!, workspace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #listen(socketPath: string, answer: RequestListener): Promise<void> {
    const server = createServer(answer).listen(socketPath);
    await once(server, "listening");
    this.#stack.defer(async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    });
  }
}

/** Answers as a worker with these sessions does; the later ones were used later. */
function worker(ids: readonly string[]): RequestListener {
  const sessions = ids.map((id, index): SessionDetail["session"] => ({
    id,
    key: id,
    agent: "a",
    state: "cold",
    createdAt: 0,
    usedAt: index,
    turns: 0,
  }));
  return ({ url }, response) => {
    if (url === "/sessions") return void response.end(JSON.stringify({ sessions }));
    const session = sessions.find(({ id }) => url === `/sessions/${id}`);
    if (session !== undefined) return void response.end(JSON.stringify({ session, turns: [] }));
    const error = { code: "session_not_found", message: "there is no such session here" };
    response.writeHead(409).end(JSON.stringify({ error }));
  };
}

const silent = "the workspace's worker does not answer: try again in a moment";

test("sessions are listed over all workspaces, the last used first; who does not answer is named", async () => {
  await using instance = await FakeInstance.start({ alpha: ["a1", "a2"], beta: "dead", gamma: ["g1"] });
  const { sessions, failures } = await instance.sessions().list();
  expect(sessions.map(({ workspace, session }) => `${workspace}/${session.id}`)).toEqual([
    "alpha/a2",
    "alpha/a1",
    "gamma/g1",
  ]);
  expect(failures).toEqual([{ workspace: "beta", message: silent }]);
});

test("in one workspace only its sessions are listed, and that it does not answer is the error", async () => {
  await using instance = await FakeInstance.start({ alpha: ["a1"], beta: "dead", gamma: ["g1"] });
  const { sessions } = await instance.sessions("gamma").list();
  expect(sessions.map(({ session }) => session.id)).toEqual(["g1"]);
  await expect(instance.sessions("beta").list()).rejects.toThrow(silent);
});

test("a session that several workspaces have is not guessed", async () => {
  await using instance = await FakeInstance.start({ alpha: ["both"], beta: ["both"] });
  await expect(instance.sessions().find("both")).rejects.toThrow(
    "several workspaces have the session both (alpha, beta): name one of them with --workspace",
  );
  expect(await instance.sessions("beta").find("both")).toMatchObject({ workspace: "beta" });
});

test("a session that nobody knows may be where nobody answers", async () => {
  await using instance = await FakeInstance.start({ alpha: ["a1"], beta: "dead" });
  await expect(instance.sessions().find("b1")).rejects.toThrow(`beta: ${silent}`);
  expect(await instance.sessions().find("a1")).toMatchObject({ workspace: "alpha" });
  await expect(instance.sessions("alpha").find("b1")).rejects.toThrow("knows the session b1");
});
