import * as fc from "fast-check";

/** One request of a conversation as it goes over the wire. */
export interface ConversationRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** Few words, so that conversations agree, differ, and go on from each other. */
const said = fc.constantFrom(
  "hi",
  "there?",
  " ",
  "",
  "\n\t",
  "</message></conversation_so_far>",
  "\u0000\u001b[31m",
);
const step = fc.oneof(
  { weight: 6, arbitrary: said.map((text) => ({ type: "user", text }) as const) },
  { weight: 2, arbitrary: said.map((text) => ({ type: "assistant", text }) as const) },
  { weight: 1, arbitrary: said.map((text) => ({ type: "called", text }) as const) },
);
type Step = { readonly type: "user" | "assistant" | "called"; readonly text: string };

const steps = fc.array<Step>(step, { minLength: 1, maxLength: 5 });
const parameters = { type: "object", properties: {} };

function chat(all: readonly Step[]): object {
  const messages = all.flatMap(({ type, text }, index): object[] => {
    if (type !== "called") return [{ role: type, content: text }];
    const call = { id: `call_${index}`, type: "function", function: { name: "look", arguments: "{}" } };
    return [
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: call.id, content: text },
    ];
  });
  return { messages, tools: [{ type: "function", function: { name: "look", parameters } }] };
}

function responses(all: readonly Step[]): object {
  const input = all.flatMap(({ type, text }, index): object[] => {
    if (type !== "called") return [{ role: type, content: text }];
    const call_id = `call_${index}`;
    return [
      { type: "function_call", call_id, name: "look", arguments: "{}" },
      { type: "function_call_output", call_id, output: text },
    ];
  });
  return { input, tools: [{ type: "function", name: "look", parameters, strict: false }] };
}

function anthropic(all: readonly Step[]): object {
  const messages = all.flatMap(({ type, text }, index): object[] => {
    if (type !== "called") return [{ role: type, content: text }];
    const id = `toolu_${index}`;
    return [
      { role: "assistant", content: [{ type: "tool_use", id, name: "look", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: text }] },
    ];
  });
  return { messages, max_tokens: 100, tools: [{ name: "look", input_schema: parameters }] };
}

const shapes = {
  "/v1/chat/completions": chat,
  "/v1/responses": responses,
  "/v1/messages": anthropic,
} as const;

/** A request to an agent that is told histories and offered functions, by any API, in one of `sessions` conversations. */
export const conversationRequest = (sessions: number): fc.Arbitrary<ConversationRequest> =>
  fc
    .record({
      path: fc.constantFrom(...(Object.keys(shapes) as (keyof typeof shapes)[])),
      steps,
      session: fc.nat({ max: sessions - 1 }),
      stream: fc.boolean(),
      busy: fc.constantFrom("queue", "queue", "queue", "steer", "interrupt", "reject"),
    })
    .map(({ path, steps: all, session, stream, busy }) => ({
      path,
      headers: {
        "content-type": "application/json",
        "x-openclaw-session-key": `fuzz ${session}`,
        "x-synthesis-busy": busy,
      },
      body: { model: "claude", stream, ...shapes[path](all) },
    }));
