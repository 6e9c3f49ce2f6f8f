import { parseArgs } from "node:util";
import { sleep, withDeadline } from "@synthesis/kit";
import { answerTo } from "./conversation/answer.ts";
import { sdkFor, streamedTurn, wholeTurn, type SdkTurn } from "./harness/sdk-turn.ts";
import { wholeNumber } from "./harness/whole-number.ts";
import { withInstance } from "./harness/with-instance.ts";
import { sendSignal } from "./faults/send-signal.ts";
import { workspacesOf } from "./instance/configuration.ts";
import type { Instance } from "./instance/instance.ts";
import { roleHolders } from "./instance/process-tree.ts";

const help = `Usage: pnpm --filter @synthesis/e2e gateway-kill [options]

Kills the gateway in the middle of turns of the openai SDK: whole answers with the SDK's own retries, streams
posted again by their caller under the same Idempotency-Key. Exit code 1 unless every answer is complete and
every prompt was taken up once.

  --kills N   how often (100)
  --help      this text
`;
const { values } = parseArgs({
  options: { kills: { type: "string", default: "100" }, help: { type: "boolean", default: false } },
});
const TAKEN_MS = 20_000;
const TURNS_MS = 60_000;
const POLL_MS = 5;
const say = (line: string) => void process.stdout.write(`${line}\n`);
if (values.help) say(help);
else {
  const kills = wholeNumber("kills", values.kills);
  const isWell = await withInstance({ workspaces: workspacesOf(2, 0) }, (instance) =>
    killGateways(instance, kills),
  );
  process.exitCode = isWell ? 0 : 1;
}

async function killGateways(instance: Instance, kills: number): Promise<boolean> {
  const client = sdkFor(instance);
  const problems: string[] = [];
  const waits: number[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    const turns = instance.workspaces.flatMap(({ name, agent }) =>
      [1, 2].map((session): SdkTurn => {
        const order = {
          canary: `${name}.s${session}.${kill}`,
          parts: 8,
          everyMs: 25,
          partBytes: 40,
          usesTool: false,
        };
        return { agent, session: `${name}.s${session}`, order };
      }),
    );
    const answers = turns.map(async (turn, index) => {
      const ask = index % 2 === 0 ? wholeTurn : streamedTurn;
      const text = await ask(client, turn).catch((error: unknown) => String(error));
      if (text !== answerTo(turn.order)) problems.push(`${turn.order.canary}: ${text}`);
    });
    if (!(await areTakenWithin(TAKEN_MS, instance, turns)))
      problems.push(`kill ${kill}: not every turn was taken up`);
    await sleep((kill * 37) % 150); // another moment of the answer each time
    const gateway = roleHolders(instance.pid).find(({ role }) => role === "gateway");
    if (gateway === undefined) throw new Error("there is no gateway to kill");
    sendSignal(gateway, "SIGKILL");
    const at = performance.now();
    await withDeadline(Promise.all(answers), TURNS_MS, "not every turn was answered");
    waits.push(performance.now() - at);
    if (kill % 10 === 0) say(`${kill} kills, ${problems.length} problems`);
  }
  const starts = Map.groupBy(
    instance.ledger.read().filter(({ type }) => type === "taken"),
    ({ canary }) => canary,
  );
  for (const [canary, taken] of starts) {
    if (taken.length !== 1) problems.push(`${canary} was taken up ${taken.length} times`);
  }
  for (const problem of problems) say(problem);
  say(`${kills} kills, ${starts.size} prompts, each to be taken up once; ${problems.length} problems`);
  say(`from kill to all answers: at most ${Math.round(Math.max(...waits))} ms`);
  return problems.length === 0;
}

async function areTakenWithin(
  deadlineMs: number,
  instance: Instance,
  turns: readonly SdkTurn[],
): Promise<boolean> {
  for (const deadline = Date.now() + deadlineMs; Date.now() < deadline; await sleep(POLL_MS)) {
    const taken = new Set(instance.ledger.read().map(({ canary }) => canary));
    if (turns.every(({ order }) => taken.has(order.canary))) return true;
  }
  return false;
}
