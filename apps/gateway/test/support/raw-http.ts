import { once } from "node:events";
import { connect } from "node:net";

/** Sends bytes as they are, a write per part with the previous one surely on its way; the answer up to the connection's end. */
export async function rawHttp(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  socket.once("close", () => close());
  socket.on("error", () => {}); // refused in the middle of a body; what came before it counts
  for (const part of parts) {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.write(part, () => resolve());
    await promise;
  }
  await closed;
  return Buffer.concat(chunks).toString("utf8");
}

/** The head of a request with the given lines, which ends its connection. */
export function head(target: string, ...lines: readonly string[]): string {
  return [`${target} HTTP/1.1`, ...lines, "connection: close", "", ""].join("\r\n");
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}
