// Bundles the plugin into dist/, which is what Claude Code loads, unless that was made of the sources as they are.
//   node build.mjs
// It is also the global setup of tests that run the bundle: they judge the sources, and what reads the old bundle
// meanwhile reads it whole. Runs on any Node >= 18, as far as `isBuilt` goes before anything is installed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const plugin = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(plugin));
const dist = join(plugin, "dist");
const STAMP = join(dist, ".built-from");
const BUNDLE = join(dist, "plugin.mjs");

/** Whether the bundle was made of the sources as they are. */
export function isBuilt() {
  return existsSync(BUNDLE) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === sourcesHash();
}

/** Builds it, unless it is built. */
export async function setup() {
  if (isBuilt()) return;
  const hash = sourcesHash(); // before they are read again: a change meanwhile is another build
  const { build: bundle } = await import("rolldown");
  mkdirSync(dist, { recursive: true });
  const fresh = join(dist, `plugin.${process.pid}.mjs`);
  const output = { file: fresh, format: "esm", minify: true };
  await bundle({ input: join(plugin, "src/main.ts"), platform: "node", logLevel: "warn", output });
  renameSync(fresh, BUNDLE);
  writeFileSync(STAMP, hash);
}

/** Of the names and contents of all that the bundle is made of. */
function sourcesHash() {
  const sources = [plugin, join(root, "packages/protocol")].flatMap((folder) => [
    join(folder, "package.json"),
    ...filesBelow(join(folder, "src")),
  ]);
  const files = [...sources, fileURLToPath(import.meta.url), join(root, "pnpm-lock.yaml")];
  const hash = createHash("sha256");
  for (const file of files) hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest("hex");
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
