import { pidsMarked } from "@synthesis/kit";
import { descendants, liveProcess, type LiveProcess } from "./descendants.ts";

/**
 * The `SYNTHESIS_MARK` prefix of this test process: give it to what a test starts under a mark of its own,
 * and `expectClean` finds what was re-parented too.
 */
export const testMarkPrefix = `test-${process.pid}-`;

/** What existed at one moment. */
export interface ResourceSnapshot {
  readonly pids: ReadonlySet<number>;
  /** How many of each kind of active handle. */
  readonly handles: ReadonlyMap<string, number>;
}

/** What is there now that was not there at a snapshot. */
export interface Leftovers {
  readonly processes: readonly LiveProcess[];
  /** One phrase each, such as `1 TCPServerWrap`. */
  readonly handles: readonly string[];
}

/** Takes a snapshot of this process's children, marked processes, listeners, sockets and timers. */
export function snapshotResources(markPrefixes: readonly string[] = [testMarkPrefix]): ResourceSnapshot {
  return { pids: new Set(ownProcesses(markPrefixes).map(({ pid }) => pid)), handles: countHandles() };
}

/** Compares with a snapshot. */
export function leftoversSince(
  before: ResourceSnapshot,
  markPrefixes: readonly string[] = [testMarkPrefix],
): Leftovers {
  const handles: string[] = [];
  for (const [kind, count] of countHandles()) {
    const surplus = count - (before.handles.get(kind) ?? 0);
    if (surplus > 0) handles.push(`${surplus} ${kind}`);
  }
  return { processes: ownProcesses(markPrefixes).filter(({ pid }) => !before.pids.has(pid)), handles };
}

/** One sentence that names what is left, or undefined where nothing is. */
export function describeLeftovers({ processes, handles }: Leftovers): string | undefined {
  const names = [
    ...processes.map(({ pid, command }) => `process ${pid} (${command.slice(0, 120)})`),
    ...handles,
  ];
  return names.length === 0 ? undefined : `the test left behind: ${names.join(", ")}`;
}

function ownProcesses(markPrefixes: readonly string[]): LiveProcess[] {
  const marked = markPrefixes
    .flatMap((prefix) => pidsMarked(prefix))
    .flatMap((pid) => liveProcess(pid) ?? []);
  return [...new Map([...descendants(), ...marked].map((found) => [found.pid, found])).values()];
}

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    // Requests, immediates and ticks come and go by themselves, also those of the test runner.
    if (/Req|Immediate|TickObject|WriteWrap|ShutdownWrap/.test(kind)) continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
