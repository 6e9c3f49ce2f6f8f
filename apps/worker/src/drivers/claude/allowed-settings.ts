/**
 * The argument that tells a Claude process what it may do without asking: rules as they are written in settings.
 * (`--allowedTools` would take a rule apart at the brackets within it.)
 */
export function allowedSettings(allow: readonly string[] = []): string[] {
  return allow.length === 0 ? [] : [`--settings=${JSON.stringify({ permissions: { allow } })}`];
}
