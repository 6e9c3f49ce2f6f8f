import type { Evidence, Violation } from "./evidence.ts";

/** I6: queues, processes, sockets and files are back to where they were, and nothing outlives what it has to die with. */
export function nothingLeft({ remains, faults }: Evidence): readonly Violation[] {
  const { exitCode, isBusy, processes, files } = remains;
  return [
    ...faults.flatMap(({ target = "", remains: left }) => left.map((message) => violation(target, message))),
    ...(isBusy ? [violation("queues", "turns run or wait though no client is there any more")] : []),
    ...(exitCode === 0 ? [] : [violation("synthesis up", `ended with ${exitCode}`)]),
    ...processes.map((process) => violation(process, "lives after the end of Synthesis")),
    ...files.map((file) => violation(file, "is there after the end of Synthesis")),
  ];
}

function violation(subject: string, message: string): Violation {
  return { invariant: "I6", subject, message };
}
