import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { controlSocketPath, instanceMark, type Settings } from "@synthesis/config";
import {
  createLogger,
  killMarked,
  runSupervised,
  sleep,
  UnusableError,
  type CloseReason,
  type Logger,
  type Supervised,
} from "@synthesis/kit";
import type { ChildMessage } from "@synthesis/protocol";
import { ControlApi } from "./control-api.ts";
import { Epochs } from "./epochs.ts";
import { GatewayHost } from "./gateway-host.ts";
import { InstanceLock } from "./instance-lock.ts";
import { SupervisorConfiguration } from "./supervisor-configuration.ts";
import { Workspaces } from "./workspaces.ts";

/** The supervisor process: keeps the gateway and the workers running until `synthesis up` ends it. */
export async function runSupervisor(): Promise<void> {
  await runSupervised(SupervisorConfiguration, async ({ settings }, send) => {
    process.title = "synthesis-supervisor";
    const log = createLogger(settings.logLevel, { process: "supervisor" });
    for (const folder of [settings.stateDir, join(settings.stateDir, "journals"), settings.runtimeDir]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    const lock = new InstanceLock(settings.stateDir);
    try {
      return await supervise(settings, lock, send, log);
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** How long the gateway may still hand on what came from the workers, once these are gone, in ms. */
const LAST_WORDS_MS = 500;
const DRAINING: CloseReason = { code: "draining", message: "Synthesis is being stopped" };

/** Everything below is this instance's alone: nobody else holds the lock. */
async function supervise(
  settings: Settings,
  lock: InstanceLock,
  send: (message: ChildMessage) => void,
  log: Logger,
): Promise<Supervised> {
  const instance = instanceMark(settings.stateDir);
  // First: a worker of a killed supervisor may just be making its socket.
  const orphans = killMarked(`${instance}/`);
  if (orphans > 0) log.warn("supervisor.orphans_killed", { orphans });
  claimRuntimeDir(settings.runtimeDir);
  const controlSocket = controlSocketPath(settings.runtimeDir);
  const { drainMs } = settings.limits;
  const epochs = new Epochs(settings.stateDir, log);
  const workspaces = new Workspaces({ settings, instance, epochs, log });
  const gateway = new GatewayHost({ settings, instance, epochs, controlSocket, log });
  const onStop = (allowedMs: number) => send({ type: "stop_requested", drainMs: allowedMs });
  const control = new ControlApi({ workspaces, gateway, drainMs, log, onStop });
  await control.start(controlSocket);
  const close: Supervised["close"] = async (reason) => {
    await gateway.close(reason);
    await workspaces.close(reason);
    await control.close();
    rmSync(controlSocket, { force: true });
    lock.release();
  };
  try {
    const endpoint = await gateway.start();
    return { endpoint, drainMs, close, drain: async (allowedMs) => drain(allowedMs) };
  } catch (error) {
    await close({ code: "unusable", message: "the gateway cannot serve" });
    throw error;
  }

  /** Gateway and workers at once: the workers take no new turns, the gateway has the running ones to answer. */
  async function drain(allowedMs: number): Promise<void> {
    send({ type: "draining", turns: workspaces.turns });
    const answered = gateway.close(DRAINING, allowedMs);
    await workspaces.close(DRAINING, allowedMs);
    await Promise.race([answered, sleep(LAST_WORDS_MS)]);
  }
}

/**
 * The runtime folder may be one in /tmp that somebody else made before: whoever owns it can put sockets of
 * their own in place of ours. Sockets of an earlier run are removed.
 */
function claimRuntimeDir(runtimeDir: string): void {
  const found = lstatSync(runtimeDir);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
    throw new UnusableError(
      `the runtime folder ${runtimeDir} is not a folder of this user: remove it, or choose another with --runtime-dir`,
    );
  }
  chmodSync(runtimeDir, 0o700);
  for (const file of readdirSync(runtimeDir)) {
    if (file.endsWith(".sock")) rmSync(join(runtimeDir, file), { force: true });
  }
}
