import { pipeline } from "node:stream/promises";
import { locate } from "@synthesis/config";
import { oneLine } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import { ControlClient } from "../control-client.ts";
import { InstanceSessions } from "../instance-sessions.ts";
import { instanceWorkers } from "../instance-workers.ts";
import { table } from "../table.ts";
import type { WorkspaceOptions } from "./command-options.ts";

/** `synthesis sessions`: the sessions, the last used first. A workspace that does not answer makes the exit code 1. */
export async function listSessions(options: WorkspaceOptions): Promise<void> {
  const { sessions, silent } = await sessionsOf(options).list();
  const rows = sessions.map(({ workspace, session: { id, agent, state, turns, usedAt, key } }) => [
    id,
    workspace,
    agent,
    state,
    String(turns),
    timeOf(usedAt),
    key,
  ]);
  const heads = ["SESSION", "WORKSPACE", "AGENT", "STATE", "TURNS", "LAST USED", "KEY"];
  if (rows.length > 0) console.log(table(heads, rows));
  else if (silent.length === 0) console.log("No session is known in a workspace that is at work.");
  for (const { workspace, message } of silent) process.stderr.write(`${workspace}: ${message}\n`);
  if (silent.length > 0) process.exitCode = 1;
}

/** `synthesis sessions show ID`: one session with its latest turns. */
export async function showSession(id: string, options: WorkspaceOptions): Promise<void> {
  const { workspace, session, allowed, turns } = await sessionsOf(options).find(id);
  const facts = [
    ["session", session.id],
    ["workspace", workspace],
    ["agent", session.agent],
    ["key", session.key],
    ["state", session.pid === undefined ? session.state : `${session.state}, pid ${session.pid}`],
    ["created", timeOf(session.createdAt)],
    ["last used", timeOf(session.usedAt)],
    ...(session.agentSession === undefined ? [] : [["in Claude", session.agentSession]]),
    ...allowed.map((rule) => ["allowed", oneLine(rule)]),
    ["turns", String(session.turns)],
  ];
  for (const [name = "", value = ""] of facts) console.log(`${name.padEnd(11)}${value}`);
  const rows = turns.map(({ id: turn, state, acceptedAt, endedAt, errorCode }) => [
    turn,
    state,
    timeOf(acceptedAt),
    endedAt === undefined ? "" : timeOf(endedAt),
    errorCode ?? "",
  ]);
  if (rows.length > 0) console.log(`\n${table(["TURN", "STATE", "ACCEPTED", "ENDED", "ERROR"], rows)}`);
}

/** `synthesis sessions end ID`: cancels what waits or runs of a session, ends its process and forgets it. */
export async function endSession(id: string, options: WorkspaceOptions): Promise<void> {
  const { workspace, client, session } = await sessionsOf(options).find(id);
  await client.end(session.id);
  console.log(`${workspace}: ended ${session.id}`);
}

/** `synthesis sessions export ID`: one session as JSON lines, to stdout. */
export async function printExport(id: string, options: WorkspaceOptions): Promise<void> {
  const { workspace, client, session } = await sessionsOf(options).find(id);
  const lines = await client.export(session.id);
  try {
    await pipeline(lines, process.stdout, { end: false });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EPIPE") return; // whoever reads it has enough
    const message = `${workspace}: the export broke off, what was printed is not the whole: see the log`;
    throw new WireFailure("worker_unavailable", message, { cause });
  }
}

function sessionsOf({ workspace, ...locations }: WorkspaceOptions): InstanceSessions {
  return new InstanceSessions(instanceWorkers(new ControlClient(locate(locations)), workspace));
}

/** Such as `2026-11-22 16:40:01Z`. */
function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("T", " ").replace(/\.\d+/, "");
}
