import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tempFolder, type TempFolder } from "@synthesis/testkit";
import { ConfigError } from "../src/config-error.ts";
import { readConfigFile } from "../src/read-config-file.ts";
import { smallest } from "./support/write-config.ts";

let folder: TempFolder;
let file: string;
beforeEach(async () => {
  folder = await tempFolder();
  file = folder.join("c.yaml");
});
afterEach(async () => folder[Symbol.asyncDispose]());

function read(text: string): ReturnType<typeof readConfigFile> {
  writeFileSync(file, text);
  return readConfigFile(file);
}

/** The complaint about `text`, without the file's name. */
function complaint(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(file, "c.yaml");
    throw error;
  }
  throw new Error("it was accepted");
}

const agents = 'agents:\n  echo: { workspace: demo, driver: command, command: ["x"] }\n';
const demo = "workspaces:\n  demo: { path: . }\n";

test.for<[title: string, text: string, complaint: string]>([
  ["no YAML", "agents: [", "c.yaml:1:10: not YAML: "],
  ["a key twice", `${agents}${demo}${demo}`, "c.yaml:5:1: not YAML: Map keys must be unique"],
  ["an alias of nothing", `${agents}${demo}roots: *home\n`, "not YAML: "],
  ["an empty file", "", "c.yaml:1:1: agents: is missing: add it (record)"],
  ["a text", "hello", "c.yaml:1:1: the file: Invalid input"],
  ["no agent", `agents: {}\n${demo}`, "c.yaml:1:9: agents: name at least one agent"],
  [
    "a misspelt section",
    `${agents}${demo}limit:\n  port: 1\n`,
    'c.yaml:5:1: "limit" is not a setting here: check the spelling, or remove it',
  ],
  [
    "a misspelt setting",
    `${agents}${demo}server:\n  host: localhost\n  prot: 1\n`,
    'c.yaml:7:3: "prot" is not a setting in server: check',
  ],
  ["a port that is none", `${agents}${demo}server:\n  port: 70000\n`, "c.yaml:6:9: server.port: Too big"],
  [
    "a text as port",
    `${agents}${demo}server: { port: "80" }\n`,
    "c.yaml:5:17: server.port: Invalid input: expected number",
  ],
  [
    "a limit of 0",
    `${agents}${demo}limits: { sessionQueue: 0 }\n`,
    "c.yaml:5:25: limits.sessionQueue: Too small",
  ],
  ["an agent's name", `agents:\n  "a b": { workspace: demo }\n${demo}`, "c.yaml:2:10: agents.a b: "],
  [
    "an unknown driver",
    `agents:\n  a: { workspace: demo, driver: magic }\n${demo}`,
    "c.yaml:2:33: agents.a.driver: must be headless, channel or command",
  ],
  [
    "a program that is missing",
    `agents:\n  a: { workspace: demo, driver: command }\n${demo}`,
    "c.yaml:2:6: agents.a.command: ",
  ],
  [
    "a chat that may not answer",
    `agents:\n  a: { workspace: demo, asks: { mode: chat, by: [api] } }\n${demo}`,
    "c.yaml:2:49: agents.a.asks.by: asks.mode chat is answered in the chat: add chat to asks.by",
  ],
  [
    "a person who may take longer than a Claude in a terminal waits",
    `agents:\n  a: { workspace: demo, driver: channel, asks: { deadlineMs: 3600000 } }\n${demo}`,
    "agents.a.asks.deadlineMs: Too big: expected number to be <=3540000",
  ],
  [
    "asks that nobody may answer",
    `agents:\n  a: { workspace: demo, asks: { by: [] } }\n${demo}`,
    "agents.a.asks.by: name at least one of chat, api and cli",
  ],
  [
    "a rule that is no rule of Claude's",
    `agents:\n  a: { workspace: demo, asks: { allow: ["Read", "Bash(rm (a) *)", "mcp__x__*", "Bash("] } }\n${demo}`,
    "agents.a.asks.allow.3: write a rule as Claude Code has it",
  ],
  [
    "a rule of Claude's for another program",
    `agents:\n  a: { workspace: demo, driver: command, command: [x], asks: { allow: ["Bash(ls)"] } }\n${demo}`,
    "agents.a.asks.allow.0: name a tool; rules with parentheses are for Claude Code only",
  ],
  [
    "an unknown workspace",
    `agents:\n  a: { workspace: site }\n${demo}`,
    'c.yaml:2:19: agents.a.workspace: no workspace is called "site": add it under workspaces',
  ],
  [
    "a workspace every object has",
    `agents:\n  a: { workspace: constructor }\n${demo}`,
    'c.yaml:2:19: agents.a.workspace: no workspace is called "constructor"',
  ],
  [
    "an unknown default agent",
    `${agents}${demo}defaultAgent: ghost\n`,
    'c.yaml:5:15: defaultAgent: no agent is called "ghost": echo',
  ],
  [
    "a default agent every object has",
    `${agents}${demo}defaultAgent: toString\n`,
    'c.yaml:5:15: defaultAgent: no agent is called "toString": echo',
  ],
  [
    "a network address",
    `${agents}${demo}server: { host: 0.0.0.0 }\n`,
    'c.yaml:5:17: server.host: "0.0.0.0" is a network address: name the hosts that clients will use in server.allowedHosts, or keep 127.0.0.1',
  ],
  [
    "a name that looks like loopback",
    `${agents}${demo}server: { host: 127.evil.com }\n`,
    'c.yaml:5:17: server.host: "127.evil.com" is a network address',
  ],
  [
    "a public address that is none",
    `${agents}${demo}server: { publicUrl: box.example }\n`,
    "c.yaml:5:22: server.publicUrl: use an address such as https://box.example",
  ],
  ...[
    "ftp://box.example",
    "https://me:pw@box.example",
    "https://box.example/?a",
    "https://box.example/#a",
  ].map((url): [string, string, string] => [
    `a public address as ${url}`,
    `${agents}${demo}server: { publicUrl: "${url}" }\n`,
    "c.yaml:5:22: server.publicUrl: use http or https, without user, query and fragment",
  ]),
  [
    "the generated key's name",
    `${agents}${demo}keys:\n  default: { file: ./k }\n`,
    "c.yaml:6:12: keys.default: the generated API key has this name: choose another",
  ],
])("%s is refused with file, line and remedy", ([, text, expected]) => {
  expect(complaint(text)).toContain(expected);
});

test("every mistake is reported, a line each", () => {
  const text = `agents:\n  a: { workspace: demo, modle: x }\n${demo}server: { port: -1 }\n`;
  const places = complaint(text)
    .split("\n")
    .map((line) => line.split(": ")[0]);
  expect(places).toHaveLength(2);
  expect(new Set(places)).toEqual(new Set(["c.yaml:2:25", "c.yaml:5:17"]));
});

test("a file that is not there is said to be missing, with the remedy", () => {
  expect(() => readConfigFile(folder.join("none.yaml"))).toThrow(
    `${folder.join("none.yaml")}: there is no such file: name another with --config`,
  );
  expect(() => readConfigFile(folder.path)).toThrow("cannot be read (EISDIR)");
});

test.for([
  ["https://box.example", "https://box.example"],
  ["https://box.example/", "https://box.example"],
  ["http://[::1]:8080/a/b//", "http://[::1]:8080/a/b"],
])("the public address %s is %s", ([url, expected]) => {
  expect(read(`${smallest}server: { publicUrl: "${url}" }\n`).server.publicUrl).toBe(expected);
});

test("what is left out has its default", () => {
  const config = read(smallest);
  expect(config.server).toEqual({ host: "127.0.0.1", port: 8787, allowedHosts: [] });
  expect(config).toMatchObject({ keys: {}, roots: [], claude: { bin: "claude", env: {} }, log: {} });
  expect(config.limits).toMatchObject({ bodyBytes: 8 * 1024 * 1024, sessionQueue: 32, heartbeatMs: 15_000 });
  expect(config.limits.memoryMb).toBeGreaterThan(0);
  expect(read("agents: { a: { workspace: d } }\nworkspaces: { d: { path: . } }").agents["a"]).toEqual({
    workspace: "d",
    permissionMode: "default",
    onInterrupt: "report",
    instructions: "append",
    reasoning: "full",
    files: "link",
    asks: { mode: "hold", deadlineMs: 600_000, by: ["chat", "api", "cli"], allow: [], deny: [] },
  });
});

test.for(["127.0.0.1", "127.1.2.3", "localhost", "::1"])("%s is an address of this machine only", (host) => {
  expect(read(`${smallest}server: { host: "${host}" }\n`).server.host).toBe(host);
});

test("a network address is taken where the hosts are named", () => {
  const { server } = read(`${smallest}server: { host: 0.0.0.0, allowedHosts: ["box.lan:8787"] }\n`);
  expect(server).toMatchObject({ host: "0.0.0.0", allowedHosts: ["box.lan:8787"] });
});
