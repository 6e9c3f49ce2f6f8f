import { fileURLToPath } from "node:url";

/** The absolute paths of programs that misbehave on purpose; each runs as `process.execPath path`. */
export const fixtures = {
  /** Prints `ready PID`, then only SIGKILL ends it. */
  ignoresSigterm: bin("ignores-sigterm"),
  /** Exits with 3 at once. */
  diesBeforeReady: bin("dies-before-ready"),
  /** Writes to stdout without end. */
  floodsStdout: bin("floods-stdout"),
  /** Prints `grandchild PID` of a detached `sleep 300` and exits. */
  leavesGrandchild: bin("leaves-grandchild"),
  /** A bridge program that connects and says nothing. */
  neverHello: bin("never-hello"),
  /** A bridge program of the seed's contract; its directives stand in its source. */
  seedPlugin: bin("seed-plugin"),
  /** The Messages API stand-in as a program: `--port N`, prints `listening URL`. */
  messagesStandIn: bin("messages-standin"),
} as const;

function bin(name: string): string {
  return fileURLToPath(new URL(`./bin/${name}.ts`, import.meta.url));
}
