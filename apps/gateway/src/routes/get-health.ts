import { respondJson } from "../http/respond.ts";
import type { Route } from "./route-context.ts";

/** `GET /health` with a key: what is at work. (Without one it says `{ok}` only.) */
export const getHealth: Route = async ({ response }, _caller, { supervisor, queues }) => {
  const { workers } = await supervisor.status();
  const sum = (field: "processes" | "conns" | "turns" | "sessions" | "unsolicited" | "memoryBytes") =>
    workers.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
  respondJson(response, 200, {
    ok: workers.every(({ state }) => state === "serving" || state === "draining"),
    processes: sum("processes"),
    conns: sum("conns"),
    turns: sum("turns"),
    waiting: queues.counts.waiting,
    sessions: sum("sessions"),
    unsolicited: sum("unsolicited"),
    memory_bytes: sum("memoryBytes"),
    workers: workers.map(({ workspace, state, pid, restarts, status }) => ({
      workspace,
      state,
      pid,
      restarts,
      processes: status?.processes ?? 0,
    })),
  });
};
