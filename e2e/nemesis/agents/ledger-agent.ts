import { setTimeout as pause } from "node:timers/promises";
import { PluginClient, type InboundTurn } from "@synthesis/protocol/plugin-client";
import { answerParts, isAfterTool } from "../conversation/answer.ts";
import { orderIn } from "../conversation/order.ts";
import { AgentLedger } from "../ledger/agent-ledger.ts";
import { BridgeRelay } from "./bridge-relay.ts";
import { startToolProcess } from "./tool-process.ts";

/**
 * A `command` agent that answers orders and keeps the ledger. SIGUSR2 cuts its connection to the bridge,
 * which nobody but root could do from outside.
 */
const { SYNTHESIS_BRIDGE_URL = "", SYNTHESIS_SESSION_KEY = "" } = process.env;
const ledger = new AgentLedger();
const relay = await BridgeRelay.open(SYNTHESIS_BRIDGE_URL);
process.on("SIGUSR2", () => relay.cut());
const client = new PluginClient({ url: relay.url, sessionKey: SYNTHESIS_SESSION_KEY, onInbound: answer });
client.start().catch(() => undefined); // `closed` tells why.
await client.closed;
process.exit(0);

async function answer(turn: InboundTurn): Promise<void> {
  const order = orderIn(turn.content);
  if (order === undefined) return turn.fail("the prompt has no order");
  const page = ledger.page(order.canary, turn.id);
  page.taken();
  try {
    for (const [index, part] of answerParts(order).entries()) {
      if (order.everyMs > 0) await pause(order.everyMs, undefined, { signal: turn.signal });
      turn.signal.throwIfAborted();
      if (isAfterTool(order, index + 1)) {
        startToolProcess();
        turn.progress("[uses a tool]");
      }
      page.said(part);
      turn.reply(part);
    }
  } catch {
    return page.ended("cancelled");
  }
  page.ended("completed");
  turn.end();
}
