const MAX_NAME_CHARACTERS = 60;
/** So many names are told: a header has its bounds. */
const MAX_NAMED = 24;

/** The names of a body's fields that were sent and are not understood; `at` is the path before them. */
export function unknownFields(
  body: Readonly<Record<string, unknown>>,
  understood: ReadonlySet<string>,
  at = "",
): string[] {
  return Object.keys(body)
    .filter((name) => !understood.has(name) && body[name] != null)
    .map((name) => fieldName(`${at}${name}`));
}

/** The names as an answer's header tells them: the first ones, and how many there are besides. */
export function namedFields(names: readonly string[]): readonly string[] {
  if (names.length <= MAX_NAMED) return names;
  return [...names.slice(0, MAX_NAMED), `and ${names.length - MAX_NAMED} more`];
}

function fieldName(name: string): string {
  return name.slice(0, MAX_NAME_CHARACTERS).replaceAll(/[^\w.-]/g, "?");
}
