// What a request costs the gateway whose body has a megabyte of history, against one that is a single message, in turn,
// in one run: CPU time of the gateway's process, and what it writes (to the worker, and the small answers). The agent
// answers "ok" at once. The CPU wanted for the long one is at most 5 ms.
//   pnpm --filter @synthesis/bench long-history [ROUNDS]
import { writeFile } from "node:fs/promises";
import { tempFolder } from "@synthesis/testkit";
import { costOf, pidOf } from "./support/process-cost.ts";
import { RunningSynthesis } from "./support/running-synthesis.ts";

const rounds = Number(process.argv[2] ?? 200);
const HISTORY_BYTES = 1024 * 1024;
const MESSAGE_BYTES = 2048;
const AGENT = `const socket = new WebSocket(process.env.SYNTHESIS_BRIDGE_URL);
const send = (frame) => socket.send(JSON.stringify(frame));
socket.onopen = () => send({ type: "hello", pid: process.pid, openclaw_session: process.env.SYNTHESIS_SESSION_KEY });
socket.onclose = () => process.exit();
socket.onmessage = ({ data }) => {
  const { type } = JSON.parse(data);
  if (type === "ping") send({ type: "pong" });
  if (type === "inbound") send({ type: "reply", content: "ok" });
};
`;

await using folder = await tempFolder();
await writeFile(folder.join("agent.js"), AGENT);
await using synthesis = await RunningSynthesis.start(folder, {
  workspaces: { here: { path: folder.path } },
  agents: { ok: { workspace: "here", driver: "command", command: ["{node}", "agent.js"] } },
});

const long = Array.from({ length: HISTORY_BYTES / MESSAGE_BYTES }, (_, index) => ({
  role: index % 2 === 0 ? "user" : "assistant",
  content: `${index} ${"history of a long chat, ".repeat(MESSAGE_BYTES)}`.slice(0, MESSAGE_BYTES),
}));
const kinds = {
  small: { history: [] as { role: string; content: string }[], cpuMs: 0, writtenBytes: 0, wallMs: 0 },
  long: { history: long, cpuMs: 0, writtenBytes: 0, wallMs: 0 },
};
let said = 0;
for (const kind of Object.values(kinds)) await turn(kind.history); // starts the agents, and tells one of them the history
await turn(kinds.long.history); // from here on it is known
const gateway = pidOf(synthesis.pid, "synthesis-gateway");
for (let round = 0; round < rounds; round++) {
  for (const kind of Object.values(kinds)) {
    const before = costOf(gateway);
    const start = performance.now();
    await turn(kind === kinds.small ? [] : kind.history);
    kind.wallMs += (performance.now() - start) / rounds;
    const after = costOf(gateway);
    kind.cpuMs += (after.cpuMs - before.cpuMs) / rounds;
    kind.writtenBytes += (after.writtenBytes - before.writtenBytes) / rounds;
  }
}
for (const [name, { cpuMs, writtenBytes, wallMs }] of Object.entries(kinds)) {
  console.log(
    `${name}: gateway CPU ${cpuMs.toFixed(2)} ms, written by the gateway ${writtenBytes.toFixed(0)} bytes, answer after ${wallMs.toFixed(1)} ms`,
  );
}
console.log(
  `a megabyte of history costs the gateway ${(kinds.long.cpuMs - kinds.small.cpuMs).toFixed(2)} ms of CPU per request`,
);

/** Says something after `history`, to which it adds that and the answer. */
async function turn(history: { role: string; content: string }[]): Promise<void> {
  const messages = [...history, { role: "user", content: `message ${++said}` }];
  const name = history === kinds.long.history ? "long" : "small";
  const headers = { "x-openclaw-session-key": name };
  const response = await synthesis.chat({ model: "ok", messages }, headers);
  const answer = (await response.json()) as { choices?: [{ message: { content: string } }] };
  const content = answer.choices?.[0].message.content;
  if (content === undefined) throw new Error(`no answer: ${JSON.stringify(answer)}`);
  history.push({ role: "user", content: `message ${said}` }, { role: "assistant", content });
}
