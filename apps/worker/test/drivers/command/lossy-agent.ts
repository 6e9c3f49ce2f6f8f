import { setImmediate as nextLoopTurn } from "node:timers/promises";
import { type InboundTurn, PluginClient } from "@synthesis/protocol/plugin-client";
import { LossyLink } from "./lossy-link.ts";

/** A program that answers over a connection which loses what it wrote; the prompt says at which point. */
const { SYNTHESIS_BRIDGE_URL = "", SYNTHESIS_SESSION_KEY = "" } = process.env;
const link = await LossyLink.open(SYNTHESIS_BRIDGE_URL);

const answers: Readonly<Record<string, (turn: InboundTurn) => Promise<void> | void>> = {
  "lose a part": async (turn) => {
    turn.reply("A");
    const again = link.lose(() => turn.reply("B"));
    turn.reply("C");
    await again;
    turn.reply("D");
    await link.lose(() => turn.reply("E"));
    turn.end("F");
  },
  "lose the end": (turn) => link.lose(() => turn.end("whole")),
  "say often": async (turn) => {
    for (let word = 1; word <= 30_000; word += 1) {
      turn.reply(`${word} `);
      await nextLoopTurn();
    }
    turn.end();
  },
  "say much": (turn) => turn.end("0123456789abcdef".repeat(6 * 65_536)),
};

const client = new PluginClient({
  url: link.url,
  sessionKey: SYNTHESIS_SESSION_KEY,
  onInbound: (turn) => answers[turn.content]?.(turn) ?? turn.end("?"),
});
client.start().catch(() => undefined);
await client.closed;
process.exit(0);
