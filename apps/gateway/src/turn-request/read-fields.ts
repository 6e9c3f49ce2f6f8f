import { refuse } from "./read-shape.ts";

// A conversation of a megabyte comes with each of its requests: by hand it is read in a fraction of what a schema costs.

/** The fields of one object of a body. */
export type Fields = Readonly<Record<string, unknown>>;

/** Throws `invalid_request` naming the path where it is no object. */
export function readObject(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(at, "must be an object");
  return value as Fields;
}

/** Throws `invalid_request` naming the path where it is no text. */
export function readString(value: unknown, at: string, why = "must be text"): string {
  return typeof value === "string" ? value : refuse(at, why);
}

/** Throws `invalid_request` naming the path where it is no text, or empty. */
export function readId(value: unknown, at: string): string {
  return readString(value, at) || refuse(at, "must not be empty");
}

/** Text, or the list of its parts. Throws `invalid_request` naming the path where it is neither. */
export function readContent(value: unknown, at: string, parts = "parts"): string | readonly unknown[] {
  if (typeof value === "string" || Array.isArray(value)) return value;
  return refuse(at, `must be text, or a list of ${parts}`);
}

/** Content that is text only, whose parts are read by `textOf`. */
export function readText(
  content: string | readonly unknown[],
  at: string,
  textOf: (part: Fields, at: string) => string,
  between: "\n" | "",
): string {
  if (typeof content === "string") return content;
  return content
    .map((part, index) => textOf(readObject(part, `${at}.${index}`), `${at}.${index}`))
    .join(between);
}

/** An optional text; `null` counts as absent. Throws `invalid_request` naming the path where it is something else. */
export function readOptional(value: unknown, at: string): string | undefined {
  return value == null ? undefined : readString(value, at);
}
