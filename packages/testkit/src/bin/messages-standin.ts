import { parseArgs } from "node:util";
import { MessagesStandIn } from "../messages-standin.ts";
import { reply } from "../reply.ts";

/** `messages-standin.ts [--port N]`: answers any conversation with a canned text, for demonstrations without an account. */
const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const api = await MessagesStandIn.start({ port: Number(values.port) });
api.script(({ userText, history }) => {
  const turn = history.filter(({ role }) => role === "user").length;
  const answer =
    `You said: “${userText.slice(0, 200)}”. This is turn ${turn} of our conversation. ` +
    "I am a stand-in for Claude's model: no account, no network and no cost, but everything between you " +
    "and me is real. The text comes word by word, as a model would send it, so you can watch it stream.";
  return reply.text(answer, { delayMs: 25, usage: { inputTokens: userText.length, outputTokens: 70 } });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void api.close());
console.log(`listening ${api.url}`);
