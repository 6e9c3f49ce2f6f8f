import { join } from "node:path";
import { apiKeyFile, instanceMark, loadSettings, locate, type Settings } from "@synthesis/config";
import {
  createLogger,
  EndOrder,
  ForkedChild,
  KeptChild,
  killMarked,
  type CloseReason,
  type LogLevel,
} from "@synthesis/kit";
import type { Endpoint } from "@synthesis/protocol";
import { prepareStateDir } from "../first-run.ts";
import { turnsAre } from "../turns-are.ts";
import { welcome } from "../welcome.ts";
import type { ServerOptions } from "./command-options.ts";

export interface UpOptions extends ServerOptions {
  readonly logLevel?: LogLevel;
}

/** A supervisor's own ladder for gateway and workers, and a margin. */
const SUPERVISOR_CLOSE_MARGIN_MS = 5_000;
/** A second signal means impatience only when it comes later than this: npm repeats the terminal's Ctrl-C at once. */
const REPEATED_SIGNAL_MS = 500;

/** `synthesis up`: the first run's preparations, then the supervisor, kept running until a signal ends it. */
export async function up(options: UpOptions): Promise<void> {
  const apiKey = process.env["SYNTHESIS_API_KEY"];
  const locations = locate(options);
  const choice = { hasOwnConfig: options.config !== undefined, hasOwnKey: apiKey !== undefined };
  let isFirst = true;
  prepareStateDir(locations, choice, (made) => {
    if (isFirst) console.log("Made for the first start:");
    isFirst = false;
    console.log(`  ${made}`);
  });
  const { host, port, logLevel } = options;
  const settings = loadSettings(locations, { host, port, apiKey, logLevel });
  console.log("Starting …");
  const keyFile = apiKey === undefined ? apiKeyFile(locations.stateDir) : undefined;
  const ended = await keepSupervisor(settings, (endpoint) => {
    console.log(
      welcome({ endpoint, keyFile, agents: Object.keys(settings.agents), configFile: locations.configFile }),
    );
  });
  if (ended.code === "unusable") process.stderr.write(`${ended.message}\n`);
  else console.log("Stopped.");
  // Not left to the event loop: stdin of a terminal or an IPC channel of npm's may hold it.
  process.exit(ended.code === "unusable" ? 1 : 0);
}

async function keepSupervisor(settings: Settings, onServing: (url: string) => void): Promise<CloseReason> {
  const log = createLogger(settings.logLevel, { process: "up" });
  const end = new EndOrder();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const isImpatient = (end.ageMs ?? 0) > REPEATED_SIGNAL_MS;
      end.give({ code: "signal", message: signal }, isImpatient ? 0 : settings.limits.drainMs);
    });
  }
  process.on("disconnect", () =>
    end.give({ code: "parent_gone", message: "whoever started Synthesis is gone" }, 0),
  );
  let endpoint: Endpoint | undefined;
  const supervisor = new KeptChild({
    title: "the supervisor",
    limits: settings.limits,
    log,
    onGone: () => {
      // What a killed supervisor leaves would end by itself, in its time; only one that served held the lock.
      if (endpoint !== undefined) killMarked(`${instanceMark(settings.stateDir)}/`);
    },
    fork: () =>
      new ForkedChild({
        entry: import.meta.resolve("#supervisor"),
        // A supervisor that is started again serves where the first one did, also where the port was 0.
        configuration: { settings: endpoint === undefined ? settings : withPort(endpoint.port, settings) },
        startMs: settings.limits.startMs,
        silentMs: settings.limits.hangMs,
        closeMs: 2 * settings.limits.closeMs + SUPERVISOR_CLOSE_MARGIN_MS,
        compileCacheDir: join(settings.stateDir, "cache"),
        log,
        onMessage: (message) => {
          if (message.type === "unusable") end.give({ code: "unusable", message: message.message }, 0);
          if (message.type === "draining" && end.ageMs !== undefined) sayStopping(message.turns);
          if (message.type === "stop_requested") {
            end.give({ code: "stop_requested", message: "`synthesis stop`" }, message.drainMs);
          }
          if (message.type !== "ready" || message.endpoint === undefined || endpoint !== undefined) return;
          endpoint = message.endpoint;
          onServing(endpoint.url);
        },
      }),
  });
  supervisor.whenServing().catch((error: Error) => end.give({ code: "unusable", message: error.message }, 0));
  const { reason, drainMs } = await end.given;
  const closed = supervisor.close(reason, drainMs);
  await Promise.race([closed, end.due]);
  await supervisor.close(reason);
  return reason;
}

function sayStopping(turns: number): void {
  const them = turns === 1 ? "it" : "them";
  console.log(
    turns === 0 ? "Stopping …" : `Stopping: ${turnsAre(turns)} finishing (Ctrl-C again cuts ${them}) …`,
  );
}

function withPort(port: number, settings: Settings): Settings {
  return { ...settings, server: { ...settings.server, port } };
}
