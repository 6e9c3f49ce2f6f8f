/** Twice what a request may take while everything starts anew on a busy machine: what takes longer hangs. */
const PATIENCE_MS = 30_000;

/** What `work` comes to; throws where that takes so long that it hangs. */
export async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  const hangs = Promise.withResolvers<never>();
  const timer = setTimeout(() => hangs.reject(new Error(`${what} hangs`)), PATIENCE_MS);
  try {
    return await Promise.race([work, hangs.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same; undefined where the gateway that was to answer is gone. */
export async function unlessCut<T>(what: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await inTime(what, work);
  } catch (error) {
    if (error instanceof TypeError) return undefined; // how `fetch` tells it
    throw error;
  }
}
