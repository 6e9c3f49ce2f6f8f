import { homedir, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { ConfigError } from "../src/config-error.ts";
import { expandPath, locate } from "../src/locations.ts";

const home = homedir();
const uid = process.getuid?.() ?? 0;

test("without choice or variables everything is below the home folder, sockets in the temporary one", () => {
  const { stateDir, configFile, runtimeDir } = locate({}, {});
  expect(stateDir).toBe(join(home, ".local/state/synthesis"));
  expect(configFile).toBe(join(stateDir, "synthesis.config.yaml"));
  expect(runtimeDir).toMatch(new RegExp(`^${tmpdir()}/synthesis-${uid}-[0-9a-f]{8}$`));
});

test("absolute XDG folders are used", () => {
  const { stateDir, runtimeDir } = locate({}, { XDG_STATE_HOME: "/xs", XDG_RUNTIME_DIR: "/run/user/7" });
  expect(stateDir).toBe("/xs/synthesis");
  expect(runtimeDir).toMatch(/^\/run\/user\/7\/synthesis\/[0-9a-f]{8}$/);
});

test.for(["relative/path", "./x", ""])("the relative XDG folder %o is ignored", (value) => {
  expect(locate({}, { XDG_STATE_HOME: value, XDG_RUNTIME_DIR: value })).toEqual(locate({}, {}));
});

test("a choice beats the variables, and may be relative or start with ~", () => {
  const env = { XDG_STATE_HOME: "/xs", XDG_RUNTIME_DIR: "/xr" };
  expect(locate({ stateDir: "~/s", runtimeDir: "r", config: "c.yaml" }, env)).toEqual({
    stateDir: join(home, "s"),
    runtimeDir: expect.stringMatching(new RegExp(`^${resolve("r")}/[0-9a-f]{8}$`)) as string,
    configFile: resolve("c.yaml"),
  });
  expect(locate({ stateDir: "", runtimeDir: "", config: "" }, env)).toEqual(locate({}, env));
});

test("two state folders have two runtime folders", () => {
  expect(locate({ stateDir: "/a" }, {}).runtimeDir).not.toBe(locate({ stateDir: "/b" }, {}).runtimeDir);
});

test("a runtime folder too long for sockets is refused when chosen, in bytes", () => {
  const most = (process.platform === "linux" ? 107 : 103) - "/01234567/w-01234567-mmmmmmmmm.sock".length;
  const longest = `/${"r".repeat(most - 1)}`;
  expect(dirname(locate({ runtimeDir: longest }, {}).runtimeDir)).toBe(longest);
  expect(() => locate({ runtimeDir: `${longest}r` }, {})).toThrow(ConfigError);
  expect(() => locate({ runtimeDir: `/${"é".repeat(most / 2 + 1)}` }, {})).toThrow(`at most ${most} bytes`);
});

test("a runtime folder too long for sockets is replaced when derived", () => {
  const { runtimeDir } = locate({}, { XDG_RUNTIME_DIR: `/${"x".repeat(90)}` });
  expect(runtimeDir).toBe(locate({}, {}).runtimeDir);
});

test.for([
  ["~", home],
  ["~/code/a", join(home, "code/a")],
  ["~other/a", "/base/~other/a"],
  ["a/../b", "/base/b"],
  ["/abs", "/abs"],
])("the path %s expands to %s", ([path, expected]) => {
  expect(expandPath(path!, "/base")).toBe(expected);
});
