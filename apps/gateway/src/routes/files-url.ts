import type { IncomingHttpHeaders } from "node:http";
import { Submit } from "@synthesis/protocol";

/**
 * Where the client of a request finds files: at the configured address, else where it found this server. Undefined
 * where an allowed host makes no URL: files are named only then.
 */
export function filesUrl(headers: IncomingHttpHeaders, publicUrl: string | undefined): string | undefined {
  const base = publicUrl ?? `http://${headers.host}`;
  return Submit.shape.filesUrl.safeParse(`${base}/v1/files`).data;
}
