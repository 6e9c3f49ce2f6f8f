/** The flags of the real CLI that the fake heeds; all others are accepted and ignored. */
export interface LaunchOptions {
  readonly version: boolean;
  readonly sessionId: string | undefined;
  readonly resume: string | undefined;
  /** Uuid of the last message of the resumed conversation that still counts. */
  readonly resumeAt: string | undefined;
  /** The resumed conversation stays as it is; what follows is one of its own. */
  readonly forkSession: boolean;
  readonly noPersistence: boolean;
  readonly model: string | undefined;
  readonly replayUserMessages: boolean;
  /** What it may not do by itself it asks its host. */
  readonly asksHost: boolean;
}

/** Reads `--flag value` and `--flag=value`. */
export function launchOptions(argv: readonly string[]): LaunchOptions {
  return {
    version: argv.includes("--version"),
    sessionId: valueOf(argv, "--session-id"),
    resume: valueOf(argv, "--resume"),
    resumeAt: valueOf(argv, "--resume-session-at"),
    forkSession: argv.includes("--fork-session"),
    noPersistence: argv.includes("--no-session-persistence"),
    model: valueOf(argv, "--model"),
    replayUserMessages: argv.includes("--replay-user-messages"),
    asksHost: valueOf(argv, "--permission-prompt-tool") === "stdio",
  };
}

function valueOf(argv: readonly string[], flag: string): string | undefined {
  const index = argv.indexOf(flag);
  if (index >= 0) return argv[index + 1];
  return argv.find((argument) => argument.startsWith(`${flag}=`))?.slice(flag.length + 1);
}
