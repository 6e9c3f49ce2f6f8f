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
  await using started = new TestChild({ args: [fixtures.diesBeforeReady] });
  expect(await started.child.closed).toEqual({ code: "exited", message: "exit code 3" });
  expect(started.child.stderrTail).toBe("dies before ready\n");
  expect(started.log.fieldsOf("agent.exited")).toMatchObject([{ how: "exit code 3", reason: "exited" }]);
});

test("a child that is killed from outside is closed with the signal", async () => {
  await using started = new TestChild({ args: [fixtures.ignoresSigterm] });
  process.kill(Number(await started.prints(/ready (\d+)/)), "SIGKILL");
  expect(await started.child.closed).toEqual({ code: "exited", message: "SIGKILL" });
});

test("a child that heeds the end of stdin ends by it", async () => {
  await using started = new TestChild({ ...script("process.stdin.resume()"), closeMs: 20_000 });
  await started.child.close(reason);
  expect(await started.child.closed).toEqual(reason);
  expect(started.log.fieldsOf("agent.exited")).toMatchObject([{ how: "exit code 0", reason: "test" }]);
});

test("a child that reads no stdin is asked by SIGTERM at once where it is to be ended so", async () => {
  await using started = new TestChild({
    ...script("setInterval(() => {}, 1e6); console.log('ready')"),
    endedBy: "SIGTERM",
    closeMs: 20_000,
  });
  await started.prints(/ready/);
  await started.child.close(reason);
  expect(started.log.fieldsOf("agent.exited")).toMatchObject([{ how: "SIGTERM" }]);
});

test("a child that ignores the end of stdin and SIGTERM is killed at the bound", async () => {
  await using started = new TestChild({ args: [fixtures.ignoresSigterm] });
  const pid = Number(await started.prints(/ready (\d+)/));
  const since = performance.now();
  await started.child.close(reason);
  expect(performance.now() - since).toBeGreaterThanOrEqual(195);
  expect(started.log.fieldsOf("agent.exited")).toMatchObject([{ how: "SIGKILL", reason: "test" }]);
  expect(liveProcess(pid)).toBeUndefined();
});

test("close and kill may come again and at the same time: the first reason stands", async () => {
  await using started = new TestChild({ args: [fixtures.ignoresSigterm] });
  await started.prints(/ready/);
  await Promise.all([started.child.close(reason), started.child.close(second), started.child.kill(second)]);
  await started.child.close(second);
  await started.child.kill(second);
  expect(await started.child.closed).toEqual(reason);
});

test("a grandchild in a session of its own is gone when its parent is", async () => {
  await using started = new TestChild({ args: [fixtures.leavesGrandchild] });
  const grandchild = Number(await started.prints(/grandchild (\d+)\n/));
  expect(await started.child.closed).toMatchObject({ code: "exited" });
  await eventually(() => expect(liveProcess(grandchild)).toBeUndefined());
  expect(started.log.fieldsOf("agent.exited")).toMatchObject([{ leftovers: 1 }]);
});

test("a grandchild that holds the output open holds the end up no longer than it lives", async () => {
  await using started = new TestChild(
    script("require('child_process').spawn('sleep', ['300'], { detached: true, stdio: 'inherit' })"),
  );
  await started.child.kill(reason);
  expect(await started.child.closed).toEqual(reason);
});

test("a child that floods its stdout is read, and killed at once", async () => {
  await using started = new TestChild({ args: [fixtures.floodsStdout] });
  await started.prints(/flood/);
  await started.child.kill(reason);
  expect(await started.child.closed).toEqual(reason);
});

test("only the end of what it writes to stderr is kept", async () => {
  await using started = new TestChild(script("process.stderr.write('x'.repeat(100_000) + 'the end')"));
  await started.child.closed;
  expect(started.child.stderrTail).toHaveLength(4096);
  expect(started.child.stderrTail.endsWith("the end")).toBe(true);
});

test("a write to a child that is gone is no error", async () => {
  await using started = new TestChild({ args: [fixtures.diesBeforeReady] });
  await started.child.closed;
  started.child.write("too late\n");
});

test("its environment is the one it is given, and its mark", async () => {
  await using started = new TestChild({
    ...script("console.log(Object.keys(process.env).sort().join())"),
    env: { A: "1" },
  });
  await started.child.closed;
  expect(started.output.trim()).toBe("A,SYNTHESIS_MARK");
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
  await using started = new TestChild({ command: folder.join(name) });
  expect(await started.child.closed).toMatchObject({
    code: "exited",
    message: expect.stringMatching(/^E[A-Z]+/),
  });
  expect(started.child.pid).toBeUndefined();
  await started.child.close(reason);
});

test("a working folder that is not there is closed without ever having had a pid", async () => {
  await using folder = await tempFolder();
  await using started = new TestChild({ cwd: folder.join("none") });
  expect(await started.child.closed).toMatchObject({ code: "exited" });
  expect(started.child.pid).toBeUndefined();
});
