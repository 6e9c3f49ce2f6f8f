import { sleep } from "@synthesis/kit";
import type { StatusAnswer } from "@synthesis/protocol";
import type { ControlClient } from "./control-client.ts";
import { turnsAre } from "./turns-are.ts";

const LOOK_EVERY_MS = 500;

/**
 * Settles like `work`, and says meanwhile what it waits for, each time that changes. Gives `work` up by its signal,
 * and rejects, when the running instance does not answer any more: that bounds the wait.
 */
export async function withProgress<T>(
  client: ControlClient,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const givenUp = new AbortController();
  const working = work(givenUp.signal).finally(() => over.abort());
  working.catch(() => {}); // awaited below
  const said = new Map<string, string>();
  for (;;) {
    await sleep(LOOK_EVERY_MS, over.signal);
    if (over.signal.aborted) return working;
    try {
      const status = await client.status();
      if (!over.signal.aborted) say(status, said);
    } catch (error) {
      if (over.signal.aborted) return working;
      givenUp.abort();
      throw error;
    }
  }
}

/** Prints what is waited for, where it is not what was said last. */
function say({ gateway, workers }: StatusAnswer, said: Map<string, string>): void {
  const lines = new Map<string, string>();
  if (gateway?.drainingPid !== undefined) lines.set("gateway", "the old one is finishing its answers …");
  for (const { workspace, state, status } of workers) {
    const turns = status?.turns ?? 0;
    if (state === "draining" && turns > 0) lines.set(workspace, `${turnsAre(turns)} finishing …`);
  }
  for (const [name, line] of lines) {
    if (said.get(name) !== line) console.log(`${name}: ${line}`);
    said.set(name, line);
  }
}
