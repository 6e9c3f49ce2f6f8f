// What the gateway's reading of a conversation costs, in the words of each API: the same one, a megabyte in 2,000
// messages, a quarter of them calls and a quarter results, and the same in 20,000; read in turn in one process, after
// one first reading of each. At most 5 ms are wanted for the megabyte.
//   pnpm --filter @synthesis/bench read-requests [ROUNDS]
import { readChatRequest } from "../apps/gateway/src/chat/read-chat-request.ts";
import { readMessagesRequest } from "../apps/gateway/src/messages/messages-request.ts";
import { readResponseRequest } from "../apps/gateway/src/responses/response-request.ts";

const rounds = Number(process.argv[2] ?? 200);
const HISTORY_BYTES = 1024 * 1024;

/** One exchange: what the user says, the agent's call, what came of it, the answer. */
interface Exchange {
  readonly id: string;
  readonly asked: string;
  readonly json: string;
  readonly result: string;
  readonly answer: string;
}

/** The same conversation as the body of each API, every text a part of its own, as the SDKs send it. */
const apis = {
  chat: (exchanges: readonly Exchange[]) => {
    const messages = exchanges.flatMap(({ id, asked, json, result, answer }) => [
      { role: "user", content: [{ type: "text", text: asked }] },
      {
        role: "assistant",
        tool_calls: [{ id, type: "function", function: { name: "read", arguments: json } }],
      },
      { role: "tool", tool_call_id: id, content: [{ type: "text", text: result }] },
      { role: "assistant", content: [{ type: "text", text: answer }] },
    ]);
    return () => readChatRequest({ messages });
  },
  messages: (exchanges: readonly Exchange[]) => {
    const messages = exchanges.flatMap(({ id, asked, json, result, answer }) => [
      { role: "user", content: [{ type: "text", text: asked }] },
      {
        role: "assistant",
        content: [{ type: "tool_use", id, name: "read", input: JSON.parse(json) as object }],
      },
      {
        role: "user",
        content: [{ type: "tool_result", tool_use_id: id, content: [{ type: "text", text: result }] }],
      },
      { role: "assistant", content: [{ type: "text", text: answer }] },
    ]);
    return () => readMessagesRequest({ messages });
  },
  responses: (exchanges: readonly Exchange[]) => {
    const input = exchanges.flatMap(({ id, asked, json, result, answer }) => [
      { type: "message", role: "user", content: [{ type: "input_text", text: asked }] },
      { type: "function_call", call_id: id, name: "read", arguments: json },
      { type: "function_call_output", call_id: id, output: [{ type: "input_text", text: result }] },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: answer }] },
    ]);
    return () => readResponseRequest({ input });
  },
};

for (const count of [2_000, 20_000]) {
  const length = HISTORY_BYTES / count;
  const text = (of: string) => `${of} ${"history of a long chat, ".repeat(length)}`.slice(0, length);
  const exchanges = Array.from({ length: count / 4 }, (_, index): Exchange => {
    const [asked, result, answer] = [
      text(`${index} asked`),
      text(`${index} result`),
      text(`${index} answer`),
    ];
    return { id: `call_${index}`, asked, json: JSON.stringify({ path: answer }), result, answer };
  });
  const readers = Object.entries(apis).map(([name, of]) => {
    const read = of(exchanges);
    return { name, read, firstMs: timeOf(read), ms: [] as number[] };
  });
  for (let round = 0; round < rounds; round++) for (const { read, ms } of readers) ms.push(timeOf(read));
  const chatMs = median(readers[0]?.ms ?? []);
  const told = readers.map(({ name, firstMs, ms }) => {
    const ratio = median(ms) / chatMs;
    return `${name} ${median(ms).toFixed(2)} ms (${ratio.toFixed(1)} x chat; at first ${firstMs.toFixed(1)} ms)`;
  });
  console.log(`${count} messages: ${told.join(", ")}`);
}

function timeOf(act: () => unknown): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
