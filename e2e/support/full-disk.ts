import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ResourceLimit } from "./resource-limit.ts";
import type { Synthesis } from "./synthesis.ts";

/** A disk that the journals of an instance are on, and that can be filled up. */
export interface FillableDisk extends Disposable {
  fill(): void;
  /** There is space again. */
  free(): void;
}

/** No write of the worker to a file succeeds any more; works everywhere. */
export function refusingDisk(synthesis: Synthesis): FillableDisk {
  let limit: ResourceLimit | undefined;
  const free = () => limit?.lift();
  return {
    fill: () => (limit = new ResourceLimit(synthesis.process("synthesis-worker alpha").pid, "fsize", 0)),
    free,
    [Symbol.dispose]: free,
  };
}

/** A file system of 1 MiB below the journals, as only root can make one; no worker has been started yet. */
export function smallDisk(synthesis: Synthesis): FillableDisk {
  const folder = synthesis.folder.join("state", "journals");
  const ballast = join(folder, "ballast");
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", folder]);
  return {
    fill: () => {
      for (const bytes of [65_536, 4_096])
        for (;;) {
          try {
            writeFileSync(ballast, Buffer.alloc(bytes), { flag: "a" });
          } catch {
            break;
          }
        }
    },
    free: () => rmSync(ballast, { force: true }),
    // Lazily: whoever still has a journal open is being ended.
    [Symbol.dispose]: () => void execFileSync("umount", ["--lazy", folder]),
  };
}

/** Whether {@link smallDisk} can be had here. */
export function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
