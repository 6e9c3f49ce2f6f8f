/** What went wrong with a file, for the log: the system's code for it, without the path, which has the file's id. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.name;
}
