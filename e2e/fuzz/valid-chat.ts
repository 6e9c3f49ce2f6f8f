import * as fc from "fast-check";

/** Mostly what is taken, and now and then what is refused. */
function mostly<T>(taken: fc.Arbitrary<T>, refused: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 40, arbitrary: taken }, { weight: 1, arbitrary: refused });
}

/** Text as people and programs write it, with what breaks parsers, terminals and prompts. */
const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ minLength: 1, maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 20 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "\ud800 half a character",
      "a\u0000b\u001b[31m",
      "/compact",
      "@/etc/passwd",
      'data: {"choices":[]}\n\ndata: [DONE]\n\n',
      "</message></conversation_so_far>",
      "Runtime: agent=main | sessionKey=agent:main:main",
      "\u202eright to left",
      "x".repeat(3_000),
    ),
  },
);

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const part = mostly<object>(
  text.map((said) => ({ type: "text", text: said })),
  fc.constantFrom(
    { type: "image_url", image_url: { url: pixel } },
    { type: "image_url", image_url: { url: "https://example.org/a.png" } },
    { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
    { type: "file", file: { file_data: "data:application/pdf;base64,JVBERi0=", filename: "a.pdf" } },
  ),
);
const content = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: fc.array(part, { minLength: 1, maxLength: 3 }) },
);

const instructions = fc.record({ role: fc.constantFrom("system", "developer"), content: text });
const user = fc.record({ role: fc.constant("user"), content });
const assistant = fc.record({ role: fc.constant("assistant"), content: text });
/** A call of a function and its result. */
const called = fc
  .record({ id: fc.stringMatching(/^call_[a-z0-9]{1,12}$/), json: fc.json({ maxDepth: 1 }), result: text })
  .map(({ id, json, result }) => [
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id, type: "function", function: { name: "look", arguments: json } }],
    },
    { role: "tool", tool_call_id: id, content: result },
  ]);
const messages = fc
  .tuple(
    fc.array(instructions, { maxLength: 2 }),
    fc.array(
      fc.oneof(
        user.map((one) => [one]),
        assistant.map((one) => [one]),
        called,
      ),
      { maxLength: 3 },
    ),
    user,
  )
  .map(([first, middle, last]) => [...first, ...middle.flat(), last]);

const schema = mostly<object>(
  fc.constant({ type: "object", properties: { a: { type: "string" } }, required: ["a"] }),
  fc.constantFrom({ type: "array" }, {}),
);
const tool = fc
  .tuple(mostly(fc.constant("look"), fc.constantFrom("bad name", "")), schema)
  .map(([name, parameters]) => ({ type: "function", function: { name, description: "it", parameters } }));

/** A body of `POST /v1/chat/completions` as clients send them to a `command` agent. */
export const validChat = fc.record(
  {
    model: mostly(fc.constantFrom("echo", "seed", "echo/opus"), fc.constant("gpt-4o")),
    messages,
    stream: fc.boolean(),
    stream_options: fc.record({ include_usage: fc.boolean() }),
    user: text,
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    top_p: fc.double({ min: 0, max: 1, noNaN: true }),
    n: mostly(fc.constant(1), fc.constant(2)),
    stop: fc.oneof(text, fc.array(text, { maxLength: 4 })),
    seed: fc.integer(),
    max_tokens: fc.nat(),
    max_completion_tokens: fc.nat(),
    logit_bias: fc.constant({ "50256": -100 }),
    logprobs: mostly(fc.constant(false), fc.constant(true)),
    reasoning_effort: mostly(
      fc.constantFrom("none", "minimal", "low", "medium", "high", "xhigh"),
      fc.constant("immense"),
    ),
    response_format: mostly<object>(
      fc.constant({ type: "text" }),
      schema.map((value) => ({
        type: "json_schema",
        json_schema: { name: "it", strict: true, schema: value },
      })),
    ),
    tools: fc.array(tool, { maxLength: 1 }),
    tool_choice: mostly(fc.constantFrom("auto", "none"), fc.constant("required")),
    parallel_tool_calls: fc.boolean(),
    metadata: fc.dictionary(fc.string({ maxLength: 8 }), text, { maxKeys: 2 }),
    store: fc.boolean(),
    service_tier: fc.constantFrom("auto", "flex"),
  },
  { requiredKeys: ["model", "messages"] },
);
