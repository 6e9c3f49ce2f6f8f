import { spawn } from "node:child_process";

/** How long a tool's process lives if nobody ends it, in seconds. */
const LIFE_SECONDS = 20;

/** Starts what a tool of Claude may leave behind: a process in a session of its own, which a worker must find. */
export function startToolProcess(): void {
  spawn("sleep", [String(LIFE_SECONDS)], { detached: true, stdio: "ignore" }).unref();
}
