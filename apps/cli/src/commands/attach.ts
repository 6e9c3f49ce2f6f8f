import { locate } from "@synthesis/config";
import type { TerminalSize } from "@synthesis/protocol";
import { ControlClient } from "../control-client.ts";
import { InstanceSessions } from "../instance-sessions.ts";
import { instanceWorkers } from "../instance-workers.ts";
import { openTerminalLink } from "../terminal-link.ts";
import { UserTerminal } from "../user-terminal.ts";
import type { AttachOptions } from "./command-options.ts";

/** Ctrl-]. */
const LEAVE = 0x1d;
/** Ctrl-C. */
const INTERRUPT = 0x03;

/**
 * `synthesis attach SESSION`: shows the terminal that the session's agent runs in; with `--take-over` the keys go
 * there too. Till Ctrl-], Ctrl-C where they do not, or its end.
 */
export async function attach(
  id: string,
  { workspace, takeOver, ...locations }: AttachOptions,
): Promise<void> {
  const control = new ControlClient(locate(locations));
  const found = await new InstanceSessions(instanceWorkers(control, workspace)).find(id);
  const { socketPath } = await control.ensure(found.workspace);
  const mode = takeOver === true ? "take-over" : "watch";
  const path = `/sessions/${encodeURIComponent(found.session.id)}/terminal?mode=${mode}`;
  const link = await openTerminalLink(socketPath, path);
  const terminal = new UserTerminal();
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  link.on("close", (_code, reason) => resolve(reason.toString() || "its worker is gone"));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve(signal));
  terminal.take((keys) => {
    const place = keys.findIndex((key) => key === LEAVE || (mode === "watch" && key === INTERRUPT));
    if (mode === "take-over" && place !== 0) link.send(place === -1 ? keys : keys.subarray(0, place));
    if (place !== -1) resolve("you left");
  });
  const tellSize = () => {
    const { size } = terminal;
    if (size !== undefined) link.send(JSON.stringify({ type: "size", ...size } satisfies TerminalSize));
  };
  if (mode === "take-over") {
    tellSize();
    terminal.onResize(tellSize);
  }
  link.on("message", (data: Buffer, isBinary) => {
    if (isBinary && !terminal.draw(data, () => link.resume())) link.pause();
  });
  link.resume();
  const why = await ended;
  terminal.release();
  link.close();
  process.stderr.write(`Detached from ${found.session.id}: ${why}.\n`);
}
