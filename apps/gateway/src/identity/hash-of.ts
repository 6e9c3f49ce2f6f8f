import { hash } from "node:crypto";

/** SHA-256, in hexadecimal, of several texts: another one wherever one of them is, or their number. */
export function hashOf(...texts: readonly string[]): string {
  return hash("sha256", JSON.stringify(texts), "hex");
}
