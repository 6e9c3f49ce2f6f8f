const MAX_NAMED = 20;

/** The names of a body's fields that were sent and are not understood, as far as a header takes them. */
export function unknownFields(
  body: Readonly<Record<string, unknown>>,
  understood: ReadonlySet<string>,
): string[] {
  return Object.keys(body)
    .filter((name) => !understood.has(name) && body[name] != null && /^[\w.-]{1,40}$/.test(name))
    .slice(0, MAX_NAMED);
}
