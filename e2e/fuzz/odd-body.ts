import * as fc from "fast-check";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Values that a field does not expect. */
const oddValue = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    "",
    " ",
    "\u0000",
    [],
    {},
    [[]],
    [null],
    "x".repeat(2_000),
  ),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

/** A body of which one value, at any depth, is another one, is gone, or has a field too many. */
export function withOneFault(body: fc.Arbitrary<object>): fc.Arbitrary<object> {
  return fc
    .tuple(
      body,
      fc.nat(),
      fc.constantFrom("replace", "remove", "add"),
      oddValue,
      fc.string({ maxLength: 12 }),
    )
    .map(([good, where, fault, value, name]) => {
      const odd = structuredClone(good);
      const places = placesOf(odd as Json);
      const place = places[where % Math.max(1, places.length)];
      if (place === undefined) return odd;
      if (fault === "replace") place.holder[place.name] = value;
      else if (fault === "add" && isHolder(place.holder[place.name]))
        addTo(place.holder[place.name] as Holder, name, value);
      else delete place.holder[place.name];
      return odd;
    });
}

type Holder = Record<string, unknown>;

/** Every value below `json`, by who holds it. */
function placesOf(json: Json): { readonly holder: Holder; readonly name: string }[] {
  if (!isHolder(json)) return [];
  return Object.keys(json).flatMap((name) => [{ holder: json, name }, ...placesOf(json[name] as Json)]);
}

function addTo(holder: Holder | unknown[], name: string, value: unknown): void {
  // A JSON array has no named fields: `length` and its kin would be the array's own.
  if (Array.isArray(holder)) holder.push(value);
  else Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

function isHolder(value: unknown): value is Holder {
  return typeof value === "object" && value !== null;
}

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const saying = (field: string) => `{"model":"echo","messages":[{"role":"user","content":"hi"}],${field}}`;

/** Bytes that were never meant to be understood. */
export const hostileBody: fc.Arbitrary<Buffer> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }).map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  // A body that ends too soon, anywhere.
  fc.nat({ max: 70 }).map((end) => Buffer.from(saying('"stream":false').slice(0, end))),
  fc
    .constantFrom(
      "",
      "\ufeff{}",
      "null",
      "{}",
      "[]",
      "NaN",
      '"messages"',
      nested(20_000),
      saying(`"metadata":${nested(5_000)}`),
      saying(`"tools":${nested(200)}`),
      saying('"__proto__":{"stream":true}'),
      saying('"constructor":{"prototype":{}},"toString":1'),
      saying('"messages":[]'),
      saying('"model":"__proto__"'),
      saying('"model":"echo/__proto__"'),
      saying('"seed":1e999,"temperature":-1e-999'),
      saying(`"${"k".repeat(5_000)}":1`),
      saying('"user":"\\ud800\\udfff\\u0000"'),
      saying(`"prompt_cache_key":"${"k".repeat(600)}"`),
      saying('"prompt_cache_key":"a\\nb"'),
      saying('"conversation":{"id":{}}'),
      JSON.stringify({
        model: "echo",
        messages: Array.from({ length: 2_000 }, () => ({ role: "system", content: "a" })),
      }),
      JSON.stringify({ model: "echo", messages: [{ role: "user", content: "long ".repeat(20_000) }] }),
    )
    .map((text) => Buffer.from(text)),
);
