import type { Submit } from "@synthesis/protocol";

/** What the user of a turn wrote after a moment (epoch ms); empty where that was before it, or can be no verdict. */
export function saidSince({ said = "", receivedAt }: Submit, moment: number): string {
  return receivedAt !== undefined && receivedAt <= moment ? "" : said;
}
