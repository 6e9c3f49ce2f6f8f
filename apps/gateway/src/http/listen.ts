import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { listenOn, sleep, UnusableError, type ListeningHandle } from "@synthesis/kit";

/** A gateway that was killed with its supervisor may hold the port for a moment; its successor waits for it. */
const ATTEMPTS = 6;
const PAUSE_MS = 150;

/**
 * Listens, on the socket of an earlier gateway where one is `inherited`; the port that was taken. Rejects with an
 * `UnusableError` where the address cannot be had.
 */
export async function listen(
  server: Server,
  { host, port }: { host: string; port: number },
  inherited?: ListeningHandle,
): Promise<number> {
  if (inherited === undefined) await bind(server, host, port);
  else await listenOn(server, inherited);
  return (server.address() as AddressInfo).port;
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const error = await tryToListen(server, host, port);
    if (error === undefined) return;
    if (error.code !== "EADDRINUSE" || attempt === ATTEMPTS) throw unusable(error, host, port);
    await sleep(PAUSE_MS);
  }
}

async function tryToListen(
  server: Server,
  host: string,
  port: number,
): Promise<NodeJS.ErrnoException | undefined> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  server.once("error", resolve);
  server.listen(port, host, () => resolve(undefined));
  const error = await promise;
  server.off("error", resolve);
  server.removeAllListeners("listening");
  return error;
}

function unusable({ code, message }: NodeJS.ErrnoException, host: string, port: number): UnusableError {
  if (code === "EADDRINUSE")
    return new UnusableError(
      `port ${port} of ${host} is in use: stop what uses it, or choose another with --port`,
    );
  if (code === "EACCES")
    return new UnusableError(
      `port ${port} of ${host} may not be used by this user: choose one above 1023 with --port`,
    );
  return new UnusableError(`cannot listen on ${host}, port ${port}: ${message}`);
}
