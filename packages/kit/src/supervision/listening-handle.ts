import type { SendHandle } from "node:child_process";
import type { Server } from "node:net";

declare const isHandle: unique symbol;

/**
 * A listening TCP socket apart from any server, as Node hands it from process to process (`node:cluster` does
 * so too). Whoever holds it may listen on it; as long as anybody does, connections that nobody accepts wait in
 * the kernel's backlog instead of being refused.
 */
export interface ListeningHandle {
  readonly [isHandle]: true;
  /** Gives this process's hold on the socket up. */
  close(): void;
}

/** The handle of a server that listens. */
export function handleOf(server: Server): ListeningHandle {
  const listening = asListening(Reflect.get(server, "_handle"));
  if (listening === undefined) throw new Error("the server has no socket to hand on: let it listen first");
  return listening;
}

/** Listens on an inherited socket. Rejects where that cannot be done. */
export async function listenOn(server: Server, handle: ListeningHandle): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ _handle: handle }, resolve);
  await promise;
  server.off("error", reject);
}

/** What came with a message, where it is such a handle. */
export function asListening(received: unknown): ListeningHandle | undefined {
  const isOne =
    typeof received === "object" && received !== null && "listen" in received && "getsockname" in received;
  return isOne ? (received as unknown as ListeningHandle) : undefined;
}

/** The handle as the types of `send` want it: they know servers and sockets only. */
export function toSend(handle: ListeningHandle | undefined): SendHandle | undefined {
  return handle as unknown as SendHandle | undefined;
}
