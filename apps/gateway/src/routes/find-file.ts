import { SessionClient, type OpenedFile } from "@synthesis/kit";
import { FileId, WireFailure } from "@synthesis/protocol";
import type { GatewayParts } from "../gateway-parts.ts";

/** What a workspace that was taken out of the configuration, or whose folder is gone, is refused with. */
const notServed: ReadonlySet<string> = new Set(["workspace_not_allowed", "workspace_not_found"]);

/**
 * Opens the file with this id, whose workspace's worker is started for it. Rejects with `file_not_found`, and with
 * `worker_unavailable` where it may be had later. Neither says where it is: who asks has shown an id and no key.
 */
export async function findFile(id: string, { supervisor, workers }: GatewayParts): Promise<OpenedFile> {
  if (!FileId.safeParse(id).success) throw notFound();
  try {
    const { socketPath } = await workers.link(await supervisor.locateFile(id));
    return await new SessionClient({ socketPath }).openFile(id);
  } catch (cause) {
    if (!(cause instanceof WireFailure)) throw cause;
    const { code, retryAfterMs = 1_000 } = cause.error;
    if (code === "file_not_found" || notServed.has(code)) throw notFound();
    const message = "the file cannot be read at the moment: try again";
    throw new WireFailure("worker_unavailable", message, { retryAfterMs, cause });
  }
}

function notFound(): WireFailure {
  return new WireFailure("file_not_found", "there is no file with this id, or it is not kept any more");
}
