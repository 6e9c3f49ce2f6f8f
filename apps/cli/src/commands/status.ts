import { request } from "node:http";
import { json } from "node:stream/consumers";
import { ConfigError, controlSocketPath, locate } from "@synthesis/config";
import { StatusAnswer } from "@synthesis/protocol";
import type { LocationOptions } from "./command-options.ts";

/** `synthesis status`: the workers of the running instance, from its control socket. Throws `ConfigError` where none runs. */
export async function status(options: LocationOptions): Promise<void> {
  const { runtimeDir, stateDir } = locate(options);
  const { workers } = await ask(controlSocketPath(runtimeDir), stateDir);
  if (workers.length === 0) console.log("Synthesis is running; no workspace has been asked for yet.");
  for (const { workspace, state, pid, restarts, status: now } of workers) {
    const detail = now
      ? `${now.processes} processes, ${now.turns} turns, ${now.sessions} sessions`
      : "no report yet";
    console.log(`${workspace}: ${state}, pid ${pid ?? "none"}, ${restarts} restarts, ${detail}`);
  }
}

async function ask(socketPath: string, stateDir: string): Promise<StatusAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const asking = request({ socketPath, path: "/v1/status", timeout: 5_000 }, (response) =>
    resolve(json(response)),
  );
  asking.once("timeout", () => asking.destroy(new Error("no answer for 5 s")));
  asking.once("error", reject);
  asking.end();
  try {
    return StatusAnswer.parse(await promise);
  } catch (cause) {
    throw new ConfigError(
      `no Synthesis runs with the state folder ${stateDir}: start it with \`synthesis up\``,
      { cause },
    );
  }
}
