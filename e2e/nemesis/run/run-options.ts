import { parseArgs } from "node:util";

/** What one run of the nemesis does. */
export interface RunOptions {
  /** Decides the faults and what the clients ask. */
  readonly seed: number;
  /** It ends after so many processes were killed, … */
  readonly kills: number;
  /** … or after so many minutes. */
  readonly minutes: number;
  readonly workspaces: number;
  readonly sessions: number;
  /** Workspaces with the real Claude Code, in front of a stand-in for its API. */
  readonly real: number;
  /** How long what has to die with a killed process may live on, in ms. */
  readonly orphanMs: number;
  /** Keep the run's folder also where nothing was violated. */
  readonly keep: boolean;
}

export const help = `Usage: pnpm nemesis [options]

Kills, stops, cuts and slows the processes and connections of a running Synthesis at random while clients talk
to it, then compares what the clients saw, what the journals say and what the agents did (invariants I1 to I9).
Exit code 1 where one is violated; the logs are kept then.

  --seed N        choices of the run; default: a random one, which is printed first
  --kills N       end after N killed processes (200)
  --minutes N     end after N minutes at the latest (30)
  --workspaces N  workspaces (8); the last scripted one is the control group: its own processes are left alone
  --sessions N    sessions of each workspace (4)
  --real N        workspaces with the real Claude Code in front of a stand-in for its API (0)
  --orphan-ms N   how long what has to die with a killed process may live on (1000)
  --keep          keep the logs in any case
  --help          this text
`;

/** Reads a command line; undefined where it asks for help. Throws on what it does not know. */
export function runOptionsFrom(argv: readonly string[]): RunOptions | undefined {
  const { values } = parseArgs({
    args: argv.filter((arg) => arg !== "--"), // pnpm hands its separator on
    options: {
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      kills: { type: "string", default: "200" },
      minutes: { type: "string", default: "30" },
      workspaces: { type: "string", default: "8" },
      sessions: { type: "string", default: "4" },
      real: { type: "string", default: "0" },
      "orphan-ms": { type: "string", default: "1000" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const options = {
    seed: numberFrom("--seed", values.seed),
    kills: numberFrom("--kills", values.kills),
    minutes: numberFrom("--minutes", values.minutes),
    workspaces: numberFrom("--workspaces", values.workspaces),
    sessions: numberFrom("--sessions", values.sessions),
    real: numberFrom("--real", values.real),
    orphanMs: numberFrom("--orphan-ms", values["orphan-ms"]),
    keep: values.keep,
  };
  if (options.workspaces - options.real < 2) {
    throw new Error(
      "--workspaces must be at least 2 more than --real: one is attacked, one is the control group",
    );
  }
  return options;
}

function numberFrom(name: string, text: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0)) throw new Error(`${name} takes a number, not "${text}"`);
  return value;
}
