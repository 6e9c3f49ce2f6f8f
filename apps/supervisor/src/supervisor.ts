import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Settings } from "@synthesis/config";
import { createLogger, killMarked, runSupervised, UnusableError } from "@synthesis/kit";
import { ControlApi } from "./control-api.ts";
import { GatewayHost } from "./gateway-host.ts";
import { SupervisorConfiguration } from "./supervisor-configuration.ts";
import { Workspaces } from "./workspaces.ts";

/** The supervisor process: keeps the gateway and the workers running until `synthesis up` ends it. */
export async function runSupervisor(): Promise<void> {
  await runSupervised(SupervisorConfiguration, async ({ settings }) => {
    process.title = "synthesis-supervisor";
    const log = createLogger(settings.logLevel, { process: "supervisor" });
    const controlSocket = join(settings.runtimeDir, "supervisor.sock");
    const instance = createHash("sha256").update(settings.stateDir).digest("hex").slice(0, 16);
    await prepareFolders(settings, controlSocket);
    const orphans = killMarked(`${instance}/`);
    if (orphans > 0) log.warn("supervisor.orphans_killed", { orphans });
    const workspaces = new Workspaces(settings, instance, log);
    const control = new ControlApi(workspaces, log);
    await control.start(controlSocket);
    const { promise: endpoint, resolve, reject } = Promise.withResolvers<string>();
    const gateway = new GatewayHost({
      settings,
      controlSocket,
      log,
      onServing: resolve,
      onUnusable: (message) => reject(new UnusableError(message)),
    });
    const close: Awaited<ReturnType<Parameters<typeof runSupervised>[1]>>["close"] = async (reason) => {
      await gateway.close(reason);
      await workspaces.close(reason);
      await control.close();
      rmSync(controlSocket, { force: true });
    };
    try {
      return { endpoint: await endpoint, close };
    } catch (error) {
      await close({ code: "unusable", message: "the gateway cannot serve" });
      throw error;
    }
  });
}

/** Private folders, and none of an earlier run's sockets. Two supervisors on one set of folders would fight. */
async function prepareFolders({ stateDir, runtimeDir }: Settings, controlSocket: string): Promise<void> {
  for (const folder of [stateDir, join(stateDir, "journals"), runtimeDir])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  claimRuntimeDir(runtimeDir);
  if (await answers(controlSocket)) {
    throw new UnusableError(
      `Synthesis is already running with the state folder ${stateDir}: stop it, or choose another with --state-dir`,
    );
  }
  for (const file of readdirSync(runtimeDir))
    if (file.endsWith(".sock")) rmSync(join(runtimeDir, file), { force: true });
}

/**
 * The runtime folder may be one in /tmp that somebody else made before: whoever owns it can put sockets of
 * their own in place of ours.
 */
function claimRuntimeDir(runtimeDir: string): void {
  const found = lstatSync(runtimeDir);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
    throw new UnusableError(
      `the runtime folder ${runtimeDir} is not a folder of this user: remove it, or choose another with --runtime-dir`,
    );
  }
  chmodSync(runtimeDir, 0o700);
}

async function answers(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(socketPath);
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const isAnswered = await promise;
  socket.destroy();
  return isAnswered;
}
