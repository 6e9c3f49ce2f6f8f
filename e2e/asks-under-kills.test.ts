import { randomInt } from "node:crypto";
import { eventually, expectClean, fakeClaudeCommand, tempFolder } from "@synthesis/testkit";
import { expect, test } from "vitest";
import { AskingUser } from "./asks-under-kills/asking-user.ts";
import { inTime } from "./asks-under-kills/in-time.ts";
import { killAtRandom } from "./asks-under-kills/kill-at-random.ts";
import { toldToAgents } from "./asks-under-kills/told-to-agents.ts";
import { Verdicts } from "./asks-under-kills/verdicts.ts";
import { Random } from "./nemesis/random.ts";
import { openAsks } from "./support/asks.ts";
import { ask } from "./support/chat.ts";
import { Synthesis } from "./support/synthesis.ts";

expectClean();

const SEED = Number(process.env["SYNTHESIS_ASKS_SEED"] ?? randomInt(2 ** 31));
const SECONDS = Number(process.env["SYNTHESIS_ASKS_SECONDS"] ?? 15);
/** After a kill everything serves again within this time. */
const RECOVERY_MS = 20_000;
const agents = {
  chat: { workspace: "alpha", asks: { mode: "chat" } },
  // A turn that asks when its gateway is gone keeps its session till then.
  hold: { workspace: "alpha", asks: { mode: "hold", deadlineMs: 10_000 } },
};

test(
  `while processes are killed every ask is settled as it was answered, or not at all (seed ${SEED})`,
  async () => {
    await using claudeFolder = await tempFolder();
    const env = { CLAUDE_CONFIG_DIR: claudeFolder.path };
    const claude = { bin: await fakeClaudeCommand(claudeFolder.path), env };
    await using synthesis = await Synthesis.start({ agents, claude });
    const random = new Random(SEED);
    const verdicts = new Verdicts();
    const until = AbortSignal.timeout(SECONDS * 1_000);
    const users = (["chat", "hold"] as const).flatMap((mode) =>
      ["a", "b"].map((name) => new AskingUser({ synthesis, mode, name, verdicts, random: random.fork() })),
    );
    const [kills] = await Promise.all([
      killAtRandom(synthesis, random.fork(), until),
      ...users.map((user) => user.goOn(until)),
    ]);

    await eventually(async () => expect(await synthesis.health()).toMatchObject({ ok: true }), RECOVERY_MS);
    for (const session of users.flatMap(({ sessions }) => sessions)) {
      const last = await inTime(`the end of ${session.session}`, ask(synthesis, { ...session, say: "done" }));
      expect(last, session.session).toMatchObject({
        status: 200,
        content: expect.stringContaining("fake: done"),
      });
    }
    process.stderr.write(`asks under kills: seed ${SEED}, ${kills} kills${verdicts.summary}\n`);
    const told = await toldToAgents(claudeFolder.path);
    expect(told.allowed.filter((command) => verdicts.on(command) !== "yes")).toEqual([]);
    expect(told.prompts.filter((prompt) => /\b(yes|no)$/.test(prompt))).toEqual([]);
    expect(await openAsks(synthesis)).toEqual([]);
    expect(synthesis.log.text).not.toMatch(/"level":"error"/);
    await synthesis.healthy({ ok: true, turns: 0, waiting: 0 });
    expect(kills).toBeGreaterThan(SECONDS / 5);
    expect(told.allowed.length).toBeGreaterThan(0);
  },
  (SECONDS + 120) * 1_000,
);
