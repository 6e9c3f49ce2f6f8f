import { ConfigError, locate } from "@synthesis/config";
import { sleep } from "@synthesis/kit";
import { ControlClient, NotRunningError } from "../control-client.ts";
import { turnsAre } from "../turns-are.ts";
import type { DrainOptions } from "./command-options.ts";

const LOOK_EVERY_MS = 200;
/** How much longer than its turns may take everything may take to end, in ms. */
const END_MS = 60_000;

/** `synthesis stop`: drains and ends the running instance, as Ctrl-C does; resolves when it is gone. */
export async function stop(options: DrainOptions): Promise<void> {
  const client = new ControlClient(locate(options));
  const { turns, drainMs } = await client.stop(options.drain);
  if (turns > 0) console.log(`Stopping: ${turnsAre(turns)} finishing …`);
  const deadline = performance.now() + drainMs + END_MS;
  while (await isRunning(client)) {
    if (performance.now() > deadline) {
      throw new ConfigError(
        `Synthesis has not stopped within ${(drainMs + END_MS) / 1000} s: look at its log`,
      );
    }
    await sleep(LOOK_EVERY_MS);
  }
  console.log("Stopped.");
}

async function isRunning(client: ControlClient): Promise<boolean> {
  try {
    await client.status();
    return true;
  } catch (error) {
    if (error instanceof NotRunningError) return false;
    throw error;
  }
}
