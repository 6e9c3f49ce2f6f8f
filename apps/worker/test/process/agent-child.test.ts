import { mkdir, writeFile } from "node:fs/promises";
import {
  eventually,
  expectClean,
  fixtures,
  liveProcess,
  tempFolder,
  testMarkPrefix,
} from "@synthesis/testkit";
import { nanoid } from "nanoid";
import { expect, test } from "vitest";
import { AgentChild, type ChildOrder } from "../../src/process/agent-child.ts";
import { LogRecorder } from "../support/log-recorder.ts";

expectClean();

const reason = { code: "test", message: "the test closes it" };
const second = { code: "second", message: "a later reason" };

/** A child with its output so far; killed on disposal. */
class TestChild implements AsyncDisposable {
  readonly child: AgentChild;
  readonly log = new LogRecorder();
  output = "";
  #changed = Promise.withResolvers<void>();

  constructor(order: Partial<ChildOrder> = {}) {
    this.child = new AgentChild({
      command: process.execPath,
      args: [],
      cwd: process.cwd(),
      env: { PATH: process.env["PATH"] ?? "" },
      mark: `${testMarkPrefix}${nanoid()}`,
      closeMs: 200,
      endedBy: "stdin",
      log: this.log,
      onStdout: (chunk) => {
        this.output = (this.output + chunk.toString("utf8")).slice(-100_000);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
      },
      ...order,
    });
  }

  /** Resolves with the first match of what it printed. */
  async prints(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match[1] ?? match[0];
      await this.#changed.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.kill(reason);
  }
}

const script = (source: string) => ({ args: ["-e", source] });

test("a child that ends by itself is closed with how it ended", async () => {
  await using test = new TestChild({ args: [fixtures.diesBeforeReady] });
  expect(await test.child.closed).toEqual({ code: "exited", message: "exit code 3" });
  expect(test.child.stderrTail).toBe("dies before ready\n");
  expect(test.log.fieldsOf("agent.exited")).toMatchObject([{ how: "exit code 3", reason: "exited" }]);
});

test("a child that is killed from outside is closed with the signal", async () => {
  await using test = new TestChild({ args: [fixtures.ignoresSigterm] });
  process.kill(Number(await test.prints(/ready (\d+)/)), "SIGKILL");
  expect(await test.child.closed).toEqual({ code: "exited", message: "SIGKILL" });
});

test("a child that heeds the end of stdin ends by it", async () => {
  await using test = new TestChild({ ...script("process.stdin.resume()"), closeMs: 20_000 });
  await test.child.close(reason);
  expect(await test.child.closed).toEqual(reason);
  expect(test.log.fieldsOf("agent.exited")).toMatchObject([{ how: "exit code 0", reason: "test" }]);
});

test("a child that reads no stdin is asked by SIGTERM at once where it is to be ended so", async () => {
  await using test = new TestChild({
    ...script("setInterval(() => {}, 1e6); console.log('ready')"),
    endedBy: "SIGTERM",
    closeMs: 20_000,
  });
  await test.prints(/ready/);
  await test.child.close(reason);
  expect(test.log.fieldsOf("agent.exited")).toMatchObject([{ how: "SIGTERM" }]);
});

test("a child that ignores the end of stdin and SIGTERM is killed at the bound", async () => {
  await using test = new TestChild({ args: [fixtures.ignoresSigterm] });
  const pid = Number(await test.prints(/ready (\d+)/));
  const since = performance.now();
  await test.child.close(reason);
  expect(performance.now() - since).toBeGreaterThanOrEqual(195);
  expect(test.log.fieldsOf("agent.exited")).toMatchObject([{ how: "SIGKILL", reason: "test" }]);
  expect(liveProcess(pid)).toBeUndefined();
});

test("close and kill may come again and at the same time: the first reason stands", async () => {
  await using test = new TestChild({ args: [fixtures.ignoresSigterm] });
  await test.prints(/ready/);
  await Promise.all([test.child.close(reason), test.child.close(second), test.child.kill(second)]);
  await test.child.close(second);
  await test.child.kill(second);
  expect(await test.child.closed).toEqual(reason);
});

test("a grandchild in a session of its own is gone when its parent is", async () => {
  await using test = new TestChild({ args: [fixtures.leavesGrandchild] });
  const grandchild = Number(await test.prints(/grandchild (\d+)\n/));
  expect(await test.child.closed).toMatchObject({ code: "exited" });
  await eventually(() => expect(liveProcess(grandchild)).toBeUndefined());
  expect(test.log.fieldsOf("agent.exited")).toMatchObject([{ leftovers: 1 }]);
});

test("a grandchild that holds the output open holds the end up no longer than it lives", async () => {
  await using test = new TestChild(
    script("require('child_process').spawn('sleep', ['300'], { detached: true, stdio: 'inherit' })"),
  );
  await test.child.kill(reason);
  expect(await test.child.closed).toEqual(reason);
});

test("a child that floods its stdout is read, and killed at once", async () => {
  await using test = new TestChild({ args: [fixtures.floodsStdout] });
  await test.prints(/flood/);
  await test.child.kill(reason);
  expect(await test.child.closed).toEqual(reason);
});

test("only the end of what it writes to stderr is kept", async () => {
  await using test = new TestChild(script("process.stderr.write('x'.repeat(100_000) + 'the end')"));
  await test.child.closed;
  expect(test.child.stderrTail).toHaveLength(4096);
  expect(test.child.stderrTail.endsWith("the end")).toBe(true);
});

test("a write to a child that is gone is no error", async () => {
  await using test = new TestChild({ args: [fixtures.diesBeforeReady] });
  await test.child.closed;
  test.child.write("too late\n");
});

test("its environment is the one it is given, and its mark", async () => {
  await using test = new TestChild({
    ...script("console.log(Object.keys(process.env).sort().join())"),
    env: { A: "1" },
  });
  await test.child.closed;
  expect(test.output.trim()).toBe("A,SYNTHESIS_MARK");
});

test.for([
  { title: "that is not there", name: "none/program" },
  { title: "that is a folder", name: "folder" },
  { title: "that is not executable", name: "plain" },
  { title: "below a file", name: "plain/program" },
])("a command $title is closed without ever having had a pid", async ({ name }) => {
  await using folder = await tempFolder();
  await mkdir(folder.join("folder"));
  await writeFile(folder.join("plain"), "text");
  await using test = new TestChild({ command: folder.join(name) });
  expect(await test.child.closed).toMatchObject({
    code: "exited",
    message: expect.stringMatching(/^E[A-Z]+/),
  });
  expect(test.child.pid).toBeUndefined();
  await test.child.close(reason);
});

test("a working folder that is not there is closed without ever having had a pid", async () => {
  await using folder = await tempFolder();
  await using test = new TestChild({ cwd: folder.join("none") });
  expect(await test.child.closed).toMatchObject({ code: "exited" });
  expect(test.child.pid).toBeUndefined();
});
