import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import type { ChildProcess } from "node:child_process";
import { eventually, expectClean, fakeClaudeCommand, tempFolder, type TempFolder } from "@synthesis/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runCli, startCli, type CliRun } from "../support/run-cli.ts";

expectClean();
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 }); // real processes on a busy machine

const key = "sk-the-key-of-these-tests";
let folder: TempFolder;
let up: ChildProcess;
let url: string;

beforeEach(async () => {
  folder = await tempFolder();
  await mkdir(folder.join("alpha"));
  await mkdir(folder.join("roots", "beta"), { recursive: true });
  const configuration = {
    workspaces: { alpha: { path: folder.join("alpha") } },
    roots: [folder.join("roots")],
    agents: { claude: { workspace: "alpha" } },
    claude: { bin: await fakeClaudeCommand(folder.path), env: { CLAUDE_CONFIG_DIR: folder.path } },
  };
  await writeFile(folder.join("c.yaml"), JSON.stringify(configuration));
  const args = ["up", "--port", "0", "--config", folder.join("c.yaml"), ...places()];
  up = startCli(args, { SYNTHESIS_API_KEY: key });
  let printed = "";
  up.stdout!.on("data", (part: Buffer) => (printed += part));
  up.stderr!.resume(); // its log
  await eventually(() => expect(printed).toContain("Synthesis is ready."), 20_000);
  url = /endpoint +(\S+)$/m.exec(printed)![1]!;
});
afterEach(async () => {
  up.kill("SIGTERM");
  await once(up, "exit");
  await folder[Symbol.asyncDispose]();
});

const places = () => ["--state-dir", folder.join("state"), "--runtime-dir", folder.join("run")];
const command = async (...args: readonly string[]): Promise<CliRun> =>
  runCli(["sessions", ...args, ...places()]);

/** One turn; its session, its id and its answer. */
async function turn(content: string, sessionKey: string, workspace = "alpha") {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "x-openclaw-session-key": sessionKey,
      "x-openclaw-workspace": workspace,
    },
    body: JSON.stringify({ model: "claude", messages: [{ role: "user", content }] }),
  });
  const answer = (await response.json()) as {
    readonly choices: readonly { readonly message: { readonly content: string } }[];
  };
  return {
    session: response.headers.get("x-synthesis-session")!,
    id: response.headers.get("x-synthesis-turn")!,
    answer: answer.choices[0]!.message.content,
  };
}

test("sessions are listed, shown, exported and ended", async () => {
  expect(await command()).toEqual({
    code: 0,
    out: "No session is known in a workspace that is at work.\n",
    err: "",
  });
  const one = await turn("hi", "first key");
  const two = await turn("!pid", "second key", "beta");
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;

  const list = await command("list");
  expect([list.code, list.err]).toEqual([0, ""]);
  const lines = list.out.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^SESSION +WORKSPACE +AGENT +STATE +TURNS +LAST USED +KEY$/);
  expect(lines[1]).toMatch(new RegExp(`^${two.session} +beta~\\w+ +claude +idle +1 +${time} +second key$`));
  expect(lines[2]).toMatch(new RegExp(`^${one.session} +alpha +claude +idle +1 +${time} +first key$`));
  expect(lines).toHaveLength(3);
  expect((await command("--workspace", "alpha")).out).not.toContain(two.session);

  const show = await command("show", two.session);
  expect([show.code, show.err]).toEqual([0, ""]);
  expect(show.out).toMatch(new RegExp(`^state +idle, pid ${two.answer}$`, "m"));
  expect(show.out).toMatch(new RegExp(`^${two.id} +completed +${time} +${time} +$`, "m"));

  const exported = await command("export", one.session);
  expect([exported.code, exported.err]).toEqual([0, ""]);
  const [session, first, ...transcript] = exported.out
    .trimEnd()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));
  expect(session).toMatchObject({ session: one.session, key: "first key" });
  expect(first).toMatchObject({ turn: one.id, answer: one.answer });
  expect(JSON.stringify(transcript)).toContain('"hi"');

  expect(await command("end", one.session)).toEqual({
    code: 0,
    out: `alpha: ended ${one.session}\n`,
    err: "",
  });
  expect((await command()).out).not.toContain(one.session);
});

test("a session that is not there is one line and exit code 1; so is a workspace", async () => {
  await turn("hi", "a key");
  for (const what of ["show", "end", "export"]) {
    const { code, out, err } = await command(what, "no such/session?");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(
      "no workspace that is at work knows the session no such/session?: name its workspace with --workspace\n",
    );
  }
  const { code, out, err } = await command("list", "--workspace", "nowhere");
  expect([code, out]).toEqual([1, ""]);
  expect(err).toMatch(/^workspace "nowhere" may not be opened: .*\n$/);
});

test("whoever reads the first lines of an export only is no error", async () => {
  const { session } = await turn("!huge 2000000", "a key");
  const child = startCli(["sessions", "export", session, ...places()]);
  let err = "";
  child.stderr!.on("data", (part: Buffer) => (err += part));
  const closed = once(child, "close");
  child.stdout!.once("data", () => child.stdout!.destroy());
  expect(await closed).toEqual([0, null]);
  expect(err).toBe("");
});
