import { mkdir, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiKeyDigest, CommandAsks, Limits, type Settings } from "@synthesis/config";
import type { TempFolder } from "@synthesis/testkit";

export const testKey = "sk-the-key-of-supervisor-tests";

/** One for all tests: a cold start takes twice as long. */
export const compileCache =
  process.env["NODE_COMPILE_CACHE"] ?? join(tmpdir(), "synthesis-test-compile-cache");

/** Settings whose folders are below `folder`, with the workspaces `a` and `b` and the root `root`. */
export async function settingsIn(folder: TempFolder, limits: Partial<Limits> = {}): Promise<Settings> {
  for (const name of ["state/journals", "run", "a", "b", "root/site", "root/nested/deep"])
    await mkdir(folder.join(name), { recursive: true, mode: 0o700 });
  await mkdir(compileCache, { recursive: true });
  await symlink(compileCache, folder.join("state/cache"));
  return {
    server: { host: "127.0.0.1", port: 0, allowedHosts: [] },
    keys: [{ name: "default", sha256: apiKeyDigest(testKey), client: "generic" }],
    workspaces: { a: folder.join("a"), b: folder.join("b"), gone: folder.join("gone") },
    roots: [folder.join("root")],
    agents: {
      echo: {
        driver: "command",
        workspace: "a",
        command: ["false"],
        env: {},
        files: "link",
        asks: CommandAsks.parse({}),
      },
    },
    claude: { bin: "claude", env: {} },
    limits: Limits.parse({ startMs: 15_000, closeMs: 2_000, ...limits }),
    logLevel: "error",
    stateDir: folder.join("state"),
    runtimeDir: folder.join("run"),
  };
}
