import { NemesisRun } from "./run/nemesis-run.ts";
import { help, runOptionsFrom } from "./run/run-options.ts";
import { summary } from "./run/summary.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const options = runOptionsFrom(process.argv.slice(2));
if (options === undefined) say(help);
else {
  say(`seed ${options.seed}`);
  const report = await new NemesisRun(options, say).run();
  say(summary(report));
  // Not left to the event loop: a process that was found alive may hold a pipe of ours.
  process.exit(report.violations.length === 0 ? 0 : 1);
}
