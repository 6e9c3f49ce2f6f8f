import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expectClean, freePort, tempFolder, type TempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { Cli } from "./support/cli.ts";

expectClean();

const run = promisify(execFile);

/** A folder with a home in it, as a user has one. */
async function userFolder(): Promise<TempFolder> {
  const folder = await tempFolder();
  await mkdir(folder.join("home"));
  return folder;
}

/** A configuration with the agent `mine` only. */
async function writeConfig(file: string, more: object = {}): Promise<string> {
  const command = ["{node}", "{synthesis}/packages/echo-agent/src/main.ts"];
  const agents = { mine: { workspace: "w", driver: "command", command } };
  await writeFile(file, JSON.stringify({ workspaces: { w: { path: "." } }, agents, ...more }));
  return file;
}

async function models(endpoint: string, key: string): Promise<unknown> {
  const response = await fetch(`${endpoint}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  const { data } = (await response.json()) as { data?: { id: string }[] };
  return data?.map(({ id }) => id) ?? response.status;
}

test("the first start makes a private state folder, says what it made, and prints a curl that streams", async () => {
  await using folder = await userFolder();
  await using cli = new Cli(["up", "--port", "0"], folder);
  const endpoint = await cli.endpoint();
  const state = folder.join("home", ".local", "state", "synthesis");
  const key = (await readFile(`${state}/api-key`, "utf8")).trim();
  expect(key).toMatch(/^sk-synthesis-[\w-]{43}$/);
  const modes = await Promise.all([state, `${state}/api-key`, `${state}/demo`].map((path) => stat(path)));
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(["700", "600", "700"]);
  expect(await readFile(`${state}/synthesis.config.yaml`, "utf8")).toMatch(/^ {2}echo:$/m);
  const curl = await cli.stdout.until("the curl", ({ text }) => /^curl [\s\S]*?\n\n/m.exec(text)?.[0]);
  for (const part of ["Made for the first start:", state, `${state}/api-key`, "Ctrl-C stops everything"]) {
    expect(cli.stdout.text).toContain(part);
  }
  const { stdout } = await run("sh", ["-c", curl], { cwd: folder.path });
  expect(stdout).toMatch(/^data: .*"role":"assistant"/);
  expect(stdout).toMatch(/"content":"[^"]*Hello!"/);
  expect(stdout).toMatch(/data: \[DONE\]\n\n$/);
  expect(await models(endpoint, key)).toEqual(["echo", "claude"]);
});

test("a second start keeps key and configuration, and makes nothing", async () => {
  await using folder = await userFolder();
  const state = folder.join("home", ".local", "state", "synthesis");
  const kept = () =>
    Promise.all(["api-key", "synthesis.config.yaml"].map((name) => readFile(`${state}/${name}`, "utf8")));
  const first = new Cli(["up", "--port", "0"], folder);
  await first.endpoint();
  expect(await first.stop("SIGINT")).toEqual({ code: 0, signal: null });
  const before = await kept();
  await using second = new Cli(["up", "--port", "0"], folder);
  const startedAt = performance.now();
  const endpoint = await second.endpoint();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(second.stdout.text).not.toContain("Made for the first start");
  expect(await kept()).toEqual(before);
  expect(await models(endpoint, before[0]?.trim() ?? "")).toContain("echo");
});

test("a flag beats the environment, and the environment beats the file", async () => {
  await using folder = await userFolder();
  const [inFile, inEnvironment, inFlag] = [await freePort(), await freePort(), await freePort()];
  const file = await writeConfig(folder.join("c.yaml"), { server: { port: inFile } });
  const args = ["up", "--config", file];
  const env = { SYNTHESIS_PORT: String(inEnvironment) };
  const endpoints: string[] = [];
  for (const cli of [
    new Cli(args, folder),
    new Cli([...args, "--state-dir", folder.join("s2")], folder, { env }),
    new Cli([...args, "--state-dir", folder.join("s3"), "--port", String(inFlag)], folder, { env }),
  ]) {
    await using running = cli;
    endpoints.push(await running.endpoint());
  }
  expect(endpoints).toEqual([inFile, inEnvironment, inFlag].map((port) => `http://127.0.0.1:${port}`));
});

test("configuration, port, key, state and runtime folder can each be set in the environment", async () => {
  await using folder = await userFolder();
  const port = await freePort();
  const key = "a-key-of-my-own-making";
  await using cli = new Cli(["up"], folder, {
    env: {
      SYNTHESIS_CONFIG: await writeConfig(folder.join("c.yaml")),
      SYNTHESIS_PORT: String(port),
      SYNTHESIS_API_KEY: key,
      SYNTHESIS_STATE_DIR: folder.join("state"),
      SYNTHESIS_RUNTIME_DIR: folder.join("a: run"),
    },
  });
  const endpoint = await cli.endpoint();
  expect(endpoint).toBe(`http://127.0.0.1:${port}`);
  expect(await models(endpoint, key)).toEqual(["mine"]);
  const chat = await fetch(`${endpoint}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "mine", messages: [{ role: "user", content: "hi" }] }),
  });
  expect(await chat.json()).toMatchObject({ choices: [{ message: { content: "You said: hi" } }] });
  expect(cli.stdout.text).toContain("the value of SYNTHESIS_API_KEY");
  expect(await readdir(folder.join("a: run"), { recursive: true })).toContainEqual(
    expect.stringMatching(/\.sock$/),
  );
  expect((await stat(folder.join("a: run"))).mode & 0o777).toBe(0o700);
  expect((await stat(folder.join("state", "journals"))).isDirectory()).toBe(true);
  await expect(stat(folder.join("state", "api-key"))).rejects.toThrow("ENOENT");
  await expect(stat(folder.join("state", "synthesis.config.yaml"))).rejects.toThrow("ENOENT");
  await expect(stat(folder.join("home", ".local"))).rejects.toThrow("ENOENT");
});
