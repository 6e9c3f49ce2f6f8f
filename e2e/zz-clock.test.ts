import { writeFileSync } from "node:fs";
import { eventually } from "@synthesis/testkit";
import { test } from "vitest";
import { openStream } from "./support/answer-stream.ts";
import { ask } from "./support/chat.ts";
import { startWithFakeClaude } from "./support/fake-claude.ts";
const show = (what: string, value: unknown) => process.stderr.write(`### ${what}: ${JSON.stringify(value)}\n`);
const jump = (s: number) => writeFileSync("/tmp/fx/off", String(s));
test("clock", async () => {
  jump(0);
  await using s = await startWithFakeClaude({ env: { LD_PRELOAD: "/tmp/fx/clock.so", CLOCK_FILE: "/tmp/fx/off" }, limits: { idleMs: 5000, workspaces: 1 } });
  const hi = async (session: string, model = "claude") => eventually(async () => { const a = await ask(s, { model, session, say: "hi" }); if (a.status !== 200) throw new Error(JSON.stringify(a.error)); return a.content; }, 15000);
  show("0", await hi("one"));
  for (const to of [-3600, 0, 3600, -3600]) {
    const stream = await openStream(s, { model: "claude", session: "st", say: "!slow 20 50" });
    await stream.until("w2");
    jump(to);
    show(`to ${to}`, await hi("one"));
    await stream.end();
    show("stream", [stream.isDone, stream.error]);
    await s.crash(s.process("synthesis-worker alpha").pid);
    show("worker again", await hi("one"));
    show("other workspace makes room", await hi("x", "claude-beta"));
    show("and back", await hi("one"));
    await s.crash(s.process("synthesis-gateway").pid);
    show("gateway again", await hi("one"));
    await s.crash(s.process("synthesis-supervisor").pid);
    show("supervisor again", await hi("one"));
  }
  const t = s.log.lines.filter((l) => l.level !== "info").map((l) => `${l.time} ${l.event} ${l.reason ?? ""}`);
  process.stderr.write(t.join("\n"));
}, 150_000);
