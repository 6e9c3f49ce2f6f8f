import { expectClean } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { ask } from "./support/chat.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

test("/health says {ok} to everybody and what is at work to who has the key", async () => {
  await using synthesis = await Synthesis.start();
  const anybody = await fetch(`${synthesis.endpoint}/health`);
  expect([anybody.status, await anybody.json()]).toEqual([200, { ok: true }]);
  const wrong = await fetch(`${synthesis.endpoint}/health`, { headers: { authorization: "Bearer no" } });
  expect(wrong.status).toBe(401);
  expect(await synthesis.health()).toMatchObject({ ok: true, processes: 0, conns: 0, workers: [] });

  await ask(synthesis, { model: "seed", session: "s", say: "hi" });
  await synthesis.healthy({ ok: true, processes: 1, conns: 1, turns: 0, waiting: 0, sessions: 1 });
  const { pid } = synthesis.process("synthesis-worker alpha");
  expect((await synthesis.health()).workers).toMatchObject([{ workspace: "alpha", pid, restarts: 0 }]);
});

test("a reply that answers no turn is counted and logged, and never delivered", async () => {
  await using synthesis = await Synthesis.start();
  const chat = (say: string) => ask(synthesis, { model: "seed", session: "s", say });
  expect(await chat("!late")).toMatchObject({ content: "seed: late" });
  await synthesis.healthy({ unsolicited: 1 });
  await synthesis.log.line("plugin.unsolicited");
  expect(await chat("next")).toMatchObject({ content: "seed: next" });
  expect(synthesis.log.text).not.toContain("seed: unsolicited");
});
