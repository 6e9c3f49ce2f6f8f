import { parseArgs } from "node:util";
import { compareRounds } from "./harness/compare-rounds.ts";
import { wholeNumber } from "./harness/whole-number.ts";
import { withInstance } from "./harness/with-instance.ts";
import { workspacesOf } from "./instance/configuration.ts";

const help = `Usage: pnpm --filter @synthesis/e2e restart-under-load [options]

Restarts one workspace with running and waiting turns, again and again, and compares the others with rounds of
the same load without a restart, and with rounds in which as many unrelated programs are started as a restart
starts: what a busy machine costs all by itself. Exit code 1 where any client saw an error or had to ask twice.

  --rounds N   rounds of each kind (5)
  --running N  running turns in the workspace that is restarted (20)
  --waiting N  waiting turns there (100)
  --help       this text
`;
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    running: { type: "string", default: "20" },
    waiting: { type: "string", default: "100" },
    help: { type: "boolean", default: false },
  },
});
const say = (line: string) => void process.stdout.write(`${line}\n`);
if (values.help) say(help);
else {
  const load = {
    running: wholeNumber("running", values.running),
    waiting: wholeNumber("waiting", values.waiting),
  };
  const count = wholeNumber("rounds", values.rounds);
  const workspaces = workspacesOf(3, 0);
  const limits = { processesPerWorkspace: load.running, drainMs: 60_000, hangMs: 10_000 };
  const isWell = await withInstance({ workspaces, limits }, (instance) =>
    compareRounds(instance, load, count, say),
  );
  process.exitCode = isWell ? 0 : 1;
}
