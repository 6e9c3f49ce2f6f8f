import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pidsMarked } from "@synthesis/kit";
import { liveProcess } from "@synthesis/testkit";
import type { Remains } from "../oracle/evidence.ts";
import type { Instance } from "./instance.ts";

/** Stops an instance that nobody uses any more and looks for what it left. */
export async function findRemains(instance: Instance, idleMs: number): Promise<Remains> {
  const isBusy = !(await instance.isIdleWithin(idleMs));
  const exitCode = await instance.stop();
  return { isBusy, exitCode, processes: markedProcesses(instance), files: strayFiles(instance) };
}

function markedProcesses({ markPrefix }: Instance): readonly string[] {
  return pidsMarked(markPrefix).flatMap((pid) => {
    const found = liveProcess(pid);
    return found === undefined ? [] : [`${found.command.slice(0, 80)} (pid ${pid})`];
  });
}

function strayFiles({ folder, stateDir }: Instance): readonly string[] {
  const all = [join(folder, "run"), join(folder, "tmp"), join(stateDir, "journals")].flatMap((path) =>
    readdirSync(path, { recursive: true }).map((name) => join(path, String(name))),
  );
  return all.filter(
    (path) => path.endsWith(".sock") || path.includes(".corrupt-") || path.startsWith(join(folder, "tmp")),
  );
}
