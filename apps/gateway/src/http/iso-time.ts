/** A time as the API tells it. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
