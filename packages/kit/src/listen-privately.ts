import { chmodSync } from "node:fs";
import type { Server } from "node:net";

/** Listens on a Unix socket that only this user can open. Rejects where it cannot be made. */
export async function listenPrivately(server: Server, socketPath: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(socketPath, resolve);
  await promise;
  server.off("error", reject);
  chmodSync(socketPath, 0o600); // made 0755 under the usual umask; its folder is 0700
}
