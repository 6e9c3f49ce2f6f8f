import type { RecordedRequest } from "@synthesis/testkit";

/** OpenClaw's `[Sun 2026-11-22 10:57 UTC] ` before what a person says. */
const TIME_STAMP = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2} [^\]]+\] /;

/** The texts of the conversation that a request continues, without OpenClaw's time stamps. */
export function said(request: RecordedRequest | undefined): readonly string[] {
  return (request?.history ?? []).map(({ text }) => text.replace(TIME_STAMP, ""));
}
