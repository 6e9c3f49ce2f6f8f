import type { RequestListener } from "node:http";
import type { SessionDetail } from "@synthesis/protocol";
import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { InstanceSessions } from "../src/instance-sessions.ts";
import { FakeInstance } from "./support/fake-instance.ts";

expectClean();

/** An instance with these sessions; the later ones were used later. */
async function instanceWith(
  sessions: Readonly<Record<string, readonly string[] | "dead">>,
): Promise<FakeInstance> {
  const workers = Object.entries(sessions).map(
    ([name, ids]) => [name, ids === "dead" ? ids : worker(ids)] as const,
  );
  return FakeInstance.start(Object.fromEntries(workers));
}

const sessionsOf = (instance: FakeInstance, workspace?: string) =>
  new InstanceSessions(instance.workers(workspace));

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
    if (session !== undefined) return void response.end(JSON.stringify({ session, allowed: [], turns: [] }));
    const error = { code: "session_not_found", message: "there is no such session here" };
    response.writeHead(409).end(JSON.stringify({ error }));
  };
}

const silent = "the workspace's worker does not answer: try again in a moment";

test("sessions are listed over all workspaces, the last used first; who does not answer is named", async () => {
  await using instance = await instanceWith({ alpha: ["a1", "a2"], beta: "dead", gamma: ["g1"] });
  const { sessions, silent: unanswered } = await sessionsOf(instance).list();
  expect(sessions.map(({ workspace, session }) => `${workspace}/${session.id}`)).toEqual([
    "alpha/a2",
    "alpha/a1",
    "gamma/g1",
  ]);
  expect(unanswered).toEqual([{ workspace: "beta", message: silent }]);
});

test("in one workspace only its sessions are listed, and that it does not answer is the error", async () => {
  await using instance = await instanceWith({ alpha: ["a1"], beta: "dead", gamma: ["g1"] });
  const { sessions } = await sessionsOf(instance, "gamma").list();
  expect(sessions.map(({ session }) => session.id)).toEqual(["g1"]);
  await expect(sessionsOf(instance, "beta").list()).rejects.toThrow(silent);
});

test("a session that several workspaces have is not guessed", async () => {
  await using instance = await instanceWith({ alpha: ["both"], beta: ["both"] });
  await expect(sessionsOf(instance).find("both")).rejects.toThrow(
    "several workspaces have the session both (alpha, beta): name one of them with --workspace",
  );
  expect(await sessionsOf(instance, "beta").find("both")).toMatchObject({ workspace: "beta" });
});

test("a session that nobody knows may be where nobody answers", async () => {
  await using instance = await instanceWith({ alpha: ["a1"], beta: "dead" });
  await expect(sessionsOf(instance).find("b1")).rejects.toThrow(`beta: ${silent}`);
  expect(await sessionsOf(instance).find("a1")).toMatchObject({ workspace: "alpha" });
  await expect(sessionsOf(instance, "alpha").find("b1")).rejects.toThrow("knows the session b1");
});
