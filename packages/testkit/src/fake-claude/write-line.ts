import { randomUUID } from "node:crypto";

/** Writes one line of stream-json with a fresh uuid. */
export function writeLine(line: { readonly type: string; readonly [field: string]: unknown }): void {
  process.stdout.write(`${JSON.stringify({ ...line, uuid: line["uuid"] ?? randomUUID() })}\n`);
}

/** Writes as it is. */
export function writeRaw(text: string): void {
  process.stdout.write(text);
}

/** Resolves when all that was written has left this process. */
export async function flushed(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.stdout.write("", () => resolve());
  await promise;
}
