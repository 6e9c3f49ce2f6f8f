import {
  fileNotFound,
  SessionClient,
  withDeadline,
  type OpenedFile,
  type RangeHeaders,
} from "@synthesis/kit";
import { FileId, WireFailure } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";
import { isPassing } from "../turn/worker-reach.ts";
import type { WorkerLink } from "../worker/worker-link.ts";

/** That a worker has died is known after so many ms at the latest. */
const LOST_MS = 1_000;

/** What a workspace that was taken out of the configuration, or whose folder is gone, is refused with. */
const notServed: ReadonlySet<string> = new Set(["workspace_not_allowed", "workspace_not_found"]);

/**
 * Opens the file with this id, or the part of it that `headers` ask for; its workspace's worker is started for that.
 * Rejects with `file_not_found`, and with `worker_unavailable` where it may be had later. Neither says where it is: who
 * asks has shown an id and no key.
 */
export async function findFile(
  id: string,
  { supervisor, workers }: GatewayParts,
  headers: RangeHeaders = {},
): Promise<OpenedFile> {
  if (!FileId.safeParse(id).success) throw fileNotFound();
  try {
    const workspace = await supervisor.locateFile(id);
    const link = await workers.link(workspace);
    return await openBy(link, id, headers).catch(async (error: unknown) => {
      if (!isPassing(error) || !(await isLost(link))) throw error;
      return openBy(await workers.link(workspace), id, headers);
    });
  } catch (cause) {
    if (!(cause instanceof WireFailure)) throw cause;
    const { code, retryAfterMs = 1_000 } = cause.error;
    if (code === "file_not_found" || notServed.has(code)) throw fileNotFound();
    const message = "the file cannot be read at the moment: try again";
    throw new WireFailure("worker_unavailable", message, { retryAfterMs, cause });
  }
}

async function openBy({ socketPath }: WorkerLink, id: string, headers: RangeHeaders): Promise<OpenedFile> {
  return new SessionClient({ socketPath }).openFile(id, headers);
}

/** Whether its worker is dead, so that another one follows. */
async function isLost(link: WorkerLink): Promise<boolean> {
  return withDeadline(link.closed, LOST_MS, "the worker is there").then(
    () => true,
    () => false,
  );
}
