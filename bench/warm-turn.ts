// How long until the first text of an answer, and of which process: Synthesis's warm Claude against a
// `claude -p` started for each request, in turn, in one run. The model is a stand-in on loopback that answers
// at once, so every millisecond is software's. Read the ratio; the absolute times are this machine's.
//   pnpm --filter @synthesis/bench warm-turn [ROUNDS]
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { claudeEnv, MessagesStandIn, pinnedClaude, tempFolder } from "@synthesis/testkit";

const rounds = Number(process.argv[2] ?? 15);
await using api = await MessagesStandIn.start();
await using folder = await tempFolder();
const env = claudeEnv(api, folder.path);
const { PATH: _, ...claude } = env;

let endpoint = "";
let key = "";
const up = await startSynthesis();
const times = { cold: [] as number[], warm: [] as number[] };
await warmTurn("a first turn, which starts the process");
for (let round = 0; round < rounds; round++) {
  times.cold.push(await coldTurn(`cold ${round}`));
  times.warm.push(await warmTurn(`warm ${round}`));
}
up.kill("SIGTERM");
await once(up, "exit");

const [cold, warm] = [median(times.cold), median(times.warm)];
console.log(
  `first text, median of ${rounds} rounds, ms: claude -p ${cold.toFixed(0)}, Synthesis ${warm.toFixed(0)}, ratio ${(cold / warm).toFixed(1)}`,
);

async function coldTurn(prompt: string): Promise<number> {
  const start = performance.now();
  const args = ["-p", "--verbose", "--output-format=stream-json", "--include-partial-messages", prompt];
  const child = spawn(pinnedClaude(), args, { env, cwd: folder.path, stdio: ["ignore", "pipe", "inherit"] });
  const first = await firstLine(child, (line) => line.includes('"text_delta"'));
  await once(child, "exit");
  return first - start;
}

async function warmTurn(prompt: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(`${endpoint}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "x-openclaw-chat-id": "bench",
    },
    body: JSON.stringify({ model: "claude", stream: true, messages: [{ role: "user", content: prompt }] }),
  });
  let first: number | undefined;
  for await (const chunk of response.body ?? []) {
    if (/"content":"[^"]/.test(Buffer.from(chunk).toString("utf8"))) first ??= performance.now();
  }
  if (first === undefined) throw new Error("the answer had no text");
  return first - start;
}

async function startSynthesis(): Promise<ChildProcess> {
  const config = folder.join("config.yaml");
  await writeFile(
    config,
    JSON.stringify({
      workspaces: { here: { path: folder.path } },
      agents: { claude: { workspace: "here", driver: "headless" } },
      claude: { bin: pinnedClaude(), env: claude },
    }),
  );
  const cli = fileURLToPath(new URL("../apps/cli/src/main.ts", import.meta.url));
  const args = [
    cli,
    "up",
    "--port=0",
    `--config=${config}`,
    `--state-dir=${folder.join("state")}`,
    "--log-level=error",
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await firstLine(child, (line) => {
    endpoint = /endpoint +(http:\S+)\/v1/.exec(line)?.[1] ?? endpoint;
    return line.startsWith("Next:");
  });
  key = (await readFile(folder.join("state", "api-key"), "utf8")).trim();
  return child;
}

async function firstLine(child: ChildProcess, wanted: (line: string) => boolean): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  if (child.stdout)
    createInterface({ input: child.stdout }).on("line", (line) => wanted(line) && resolve(performance.now()));
  child.once("exit", () => reject(new Error("the process ended without the line that was waited for")));
  return promise;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
