import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Loads what an agent loads, finds that nobody started it properly, and ends. */
const program = fileURLToPath(new URL("../../../packages/echo-agent/src/main.ts", import.meta.url));

/** Starts as many programs at once as a restart does, which have nothing to do with Synthesis; resolves when they ended. */
export async function startProcesses(count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const child = spawn(process.execPath, [program], { env: {}, stdio: "ignore" });
      await once(child, "close");
    }),
  );
}
