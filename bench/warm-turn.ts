// How long until the first text of an answer, and of which process: Synthesis's warm Claude against a
// `claude -p` started for each request, in turn, in one run. The model is a stand-in on loopback that answers
// at once, so every millisecond is software's. Read the ratio; the absolute times are this machine's.
//   pnpm --filter @synthesis/bench warm-turn [ROUNDS]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { claudeEnv, MessagesStandIn, pinnedClaude, tempFolder } from "@synthesis/testkit";
import { lineOf, RunningSynthesis } from "./support/running-synthesis.ts";

const rounds = Number(process.argv[2] ?? 15);
await using api = await MessagesStandIn.start();
await using folder = await tempFolder();
const env = claudeEnv(api, folder.path);
const { PATH: _, ...claude } = env;

await using synthesis = await RunningSynthesis.start(folder, {
  workspaces: { here: { path: folder.path } },
  agents: { claude: { workspace: "here", driver: "headless" } },
  claude: { bin: pinnedClaude(), env: claude },
});
const times = { cold: [] as number[], warm: [] as number[] };
await warmTurn("a first turn, which starts the process");
for (let round = 0; round < rounds; round++) {
  times.cold.push(await coldTurn(`cold ${round}`));
  times.warm.push(await warmTurn(`warm ${round}`));
}

const [cold, warm] = [median(times.cold), median(times.warm)];
console.log(
  `first text, median of ${rounds} rounds, ms: claude -p ${cold.toFixed(0)}, Synthesis ${warm.toFixed(0)}, ratio ${(cold / warm).toFixed(1)}`,
);

async function coldTurn(prompt: string): Promise<number> {
  const start = performance.now();
  const args = ["-p", "--verbose", "--output-format=stream-json", "--include-partial-messages", prompt];
  const child = spawn(pinnedClaude(), args, { env, cwd: folder.path, stdio: ["ignore", "pipe", "inherit"] });
  const first = await lineOf(child, (line) => line.includes('"text_delta"'));
  await once(child, "exit");
  return first - start;
}

async function warmTurn(prompt: string): Promise<number> {
  const start = performance.now();
  const body = { model: "claude", stream: true, messages: [{ role: "user", content: prompt }] };
  const response = await synthesis.chat(body, { "x-openclaw-chat-id": "bench" });
  let first: number | undefined;
  for await (const chunk of response.body ?? []) {
    if (/"content":"[^"]/.test(Buffer.from(chunk).toString("utf8"))) first ??= performance.now();
  }
  if (first === undefined) throw new Error("the answer had no text");
  return first - start;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
