// Runs on any Node >= 18 with npm: brings the pinned Node and pnpm where this machine's differ (into
// `.toolchain/`, nowhere else), installs from the lockfile when something changed, and hands over.
//   node scripts/bootstrap.mjs up …     npm start
//   node scripts/bootstrap.mjs test …   npm test
//   node scripts/bootstrap.mjs run …    bin/synthesis …
// What Claude Code loads is a bundle of sources: it is built here too, when they changed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isBuilt } from "../packages/claude-plugin/build.mjs";

const NODE_VERSION = "24.21.0";
const MIN_NODE_MINOR = 15; // node:sqlite is a release candidate from 24.15 on
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const INSTALL_LOCK = join(root, ".toolchain", "install.lock");
const pnpmVersion = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@")[1];

const say = (text) => process.stderr.write(`synthesis: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

const [mode, ...args] = process.argv.slice(2);
if (mode !== "up" && mode !== "test" && mode !== "run") fail(`unknown mode "${mode}": use up, test or run`);

const env = { ...process.env, PATH: pathWithoutNpm() };
const node = nodeBinary();
installWhenChanged();
buildPluginWhenChanged();
if (mode === "test") {
  const toolchain = `node-${spawnSync(node, ["-p", "process.version"], { encoding: "utf8" }).stdout.trim()}`;
  const pnpm = pnpmBinary();
  handOver(pnpm, ["run", "check", ...args], {
    ...toolEnv(pnpm),
    ...quietTurbo(),
    SYNTHESIS_TOOLCHAIN: toolchain,
  });
} else {
  const cli = join(root, "apps/cli/src/main.ts");
  handOver(node, [cli, ...(mode === "up" ? ["up", ...args] : args)], env);
}

/** npm puts its own folders in front of PATH; the agents' programs should see the user's PATH. */
function pathWithoutNpm() {
  const own = (entry) => entry.endsWith(join("node_modules", ".bin")) || entry.endsWith("node-gyp-bin");
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((entry) => !own(entry))
    .join(delimiter);
}

function nodeBinary() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major === 24 && minor >= MIN_NODE_MINOR) return process.execPath;
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const folder = toolFolder(`Node ${NODE_VERSION}`, `node-${NODE_VERSION}`, `${name}@${NODE_VERSION}`);
  return join(folder, "node_modules", name, "bin", "node");
}

/** The user's pnpm if it is the pinned one; else its native executable, which needs no install script. */
function pnpmBinary() {
  const found = spawnSync("sh", ["-c", "pnpm --version >&2 && command -v pnpm"], {
    encoding: "utf8",
    cwd: root,
    env,
  });
  if (found.status === 0 && found.stderr.trim() === pnpmVersion) return found.stdout.trim();
  const folder = toolFolder(`pnpm ${pnpmVersion}`, `pnpm-${pnpmVersion}`, `pnpm@${pnpmVersion}`);
  const platforms = join(folder, "node_modules", "@pnpm");
  const binaries = readdirSync(platforms).map((name) => join(platforms, name, "pnpm"));
  return (
    binaries.find((file) => existsSync(file)) ??
    fail(`there is no pnpm for ${process.platform}-${process.arch}`)
  );
}

/** The pinned Node and pnpm first: for tools, not for the agents that `up` starts. */
function toolEnv(pnpm) {
  return { ...env, PATH: [dirname(node), dirname(pnpm), env.PATH].join(delimiter) };
}

function toolFolder(title, folderName, spec) {
  const folder = join(root, ".toolchain", folderName);
  if (existsSync(folder)) return folder;
  say(`bringing ${title} into ${folder} …`);
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, "package.json"), "{}\n");
  const flags = [
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    "--loglevel=error",
    `--prefix=${fresh}`,
  ];
  const done = spawnSync("npm", ["install", ...flags, spec], { cwd: fresh, env, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail(
      `npm could not install ${spec} (exit ${done.status ?? done.error?.message}): check the network and the npm registry, then run this again`,
    );
  }
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true }); // another start was faster
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function installWhenChanged() {
  const stamp = join(root, "node_modules", ".synthesis-install");
  const wanted = manifestHash();
  const isDone = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  unless(isDone, () => {
    say("installing dependencies from the lockfile …");
    const flags = ["--frozen-lockfile", "--prod=false", "--reporter=append-only"];
    const pnpm = pnpmBinary();
    runTool(pnpm, ["install", ...flags], { ...toolEnv(pnpm), CI: "true" }, "pnpm install");
    writeFileSync(stamp, wanted);
  });
}

function buildPluginWhenChanged() {
  unless(isBuilt, () => {
    runTool(
      node,
      [join(root, "packages/claude-plugin/build.mjs")],
      env,
      "the build of packages/claude-plugin",
    );
  });
}

/** Does it unless it is done; if several processes want it, one does it. */
function unless(isDone, doIt) {
  if (isDone()) return;
  const unlock = lockInstall();
  try {
    if (!isDone()) doIt();
  } finally {
    unlock();
  }
}

function runTool(command, rest, toolsEnv, title) {
  const done = spawnSync(command, rest, { cwd: root, env: toolsEnv, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) {
    rmSync(INSTALL_LOCK, { force: true });
    fail(`${title} failed (exit ${done.status ?? done.error?.message}): its message is above`);
  }
}

/** One install at a time in this checkout: `npm start` and `npm test` may well be run side by side. */
function lockInstall() {
  mkdirSync(dirname(INSTALL_LOCK), { recursive: true });
  for (let round = 0; ; round++) {
    try {
      writeFileSync(INSTALL_LOCK, String(process.pid), { flag: "wx" });
      return () => rmSync(INSTALL_LOCK, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (round === 0) say("waiting for another install in this checkout …");
    if (!isRunning()) rmSync(INSTALL_LOCK, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function isRunning() {
  try {
    process.kill(Number(readFileSync(INSTALL_LOCK, "utf8")), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function manifestHash() {
  const files = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"].map((name) => join(root, name));
  for (const name of ["e2e", "bench"]) files.push(join(root, name, "package.json"));
  for (const group of ["apps", "packages"]) {
    for (const name of readdirSync(join(root, group)).sort())
      files.push(join(root, group, name, "package.json"));
  }
  return hashOf(files);
}

/** Of the files' names and contents, and of the Node that runs what is made of them. */
function hashOf(files) {
  const hash = createHash("sha256").update(node);
  for (const file of files)
    if (existsSync(file)) hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest("hex");
}

function quietTurbo() {
  return { TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1", DO_NOT_TRACK: "1" };
}

/**
 * npm runs scripts in the checkout; a path on the command line of `npm start` is relative to where the user
 * stands (INIT_CWD). The child is told to stop with us: by the same signal, and by the end of its IPC channel if we die.
 */
function handOver(command, rest, childEnv) {
  const ipc = mode === "up" ? ["ipc"] : [];
  const child = spawn(command, rest, {
    cwd: { up: process.env.INIT_CWD ?? process.cwd(), run: process.cwd(), test: root }[mode],
    env: childEnv,
    stdio: ["inherit", "inherit", "inherit", ...ipc],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal)); // the terminal may have sent it to the child too: all the same to it
  }
  if (mode === "up" && process.env.npm_lifecycle_event !== undefined) stopWithParent(child);
  child.on("error", (error) => fail(`could not start ${command}: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

/** npm or its shell may be killed without telling us; whoever started Synthesis through npm means to stop it then. */
function stopWithParent(child) {
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 500).unref();
}
