import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "./config-error.ts";

/** Where one instance of Synthesis keeps its things. All absolute. */
export interface Locations {
  /** Durable: configuration, API key, journals. */
  readonly stateDir: string;
  /** Unix sockets; gone after a reboot. */
  readonly runtimeDir: string;
  readonly configFile: string;
}

/** What a flag or a variable may say about the locations. */
export interface LocationChoice {
  readonly stateDir?: string | undefined;
  readonly runtimeDir?: string | undefined;
  readonly config?: string | undefined;
}

/** A socket name in the runtime folder, longest case, and the kernel's limit for the whole path (`sun_path`, unix(7)). */
const LONGEST_SOCKET_NAME = "/w-01234567-mmmmmmmmm.sock".length;
const LONGEST_SOCKET_PATH = process.platform === "linux" ? 107 : 103;

/** The locations by the XDG Base Directory rules, unless chosen. Throws {@link ConfigError} for an unusable choice. */
export function locate(choice: LocationChoice, env: NodeJS.ProcessEnv = process.env): Locations {
  const stateDir =
    absolute(choice.stateDir) ??
    join(xdg(env["XDG_STATE_HOME"]) ?? join(homedir(), ".local", "state"), "synthesis");
  const configFile = absolute(choice.config) ?? join(stateDir, "synthesis.config.yaml");
  return { stateDir, configFile, runtimeDir: runtimeDir(choice, stateDir, env) };
}

/** The supervisor's Unix socket in the runtime folder. */
export function controlSocketPath(folder: string): string {
  return join(folder, "supervisor.sock");
}

/** `path` with a leading `~` expanded, absolute, taken relative to `base`. */
export function expandPath(path: string, base: string): string {
  if (path === "~") return homedir();
  if (path.startsWith("~/")) return join(homedir(), path.slice(2));
  return resolve(base, path);
}

/** What the mark of every process of one instance begins with. The state folder must exist. */
export function instanceMark(stateDir: string): string {
  return createHash("sha256").update(realpathSync(stateDir)).digest("hex").slice(0, 16);
}

function runtimeDir(choice: LocationChoice, stateDir: string, env: NodeJS.ProcessEnv): string {
  // One folder per state folder: two instances never share sockets.
  const instance = createHash("sha256").update(stateDir).digest("hex").slice(0, 8);
  const chosen = absolute(choice.runtimeDir);
  if (chosen !== undefined && !socketsFit(join(chosen, instance))) {
    const longest = LONGEST_SOCKET_PATH - LONGEST_SOCKET_NAME - instance.length - 1;
    throw new ConfigError(
      `the runtime folder ${chosen} is too long for Unix sockets: choose one of at most ${longest} bytes (--runtime-dir or SYNTHESIS_RUNTIME_DIR)`,
    );
  }
  if (chosen !== undefined) return join(chosen, instance);
  const base = xdg(env["XDG_RUNTIME_DIR"]);
  const candidates = [
    ...(base === undefined ? [] : [join(base, "synthesis", instance)]),
    join(tmpdir(), `synthesis-${process.getuid?.() ?? 0}-${instance}`),
  ];
  return candidates.find(socketsFit) ?? `/tmp/synthesis-${process.getuid?.() ?? 0}-${instance}`;
}

function socketsFit(folder: string): boolean {
  return Buffer.byteLength(folder) + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH;
}

/** The specification says that relative paths in its variables are to be ignored. */
function xdg(value: string | undefined): string | undefined {
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined || path === "" ? undefined : expandPath(path, process.cwd());
}
