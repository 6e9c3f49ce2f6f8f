import { setImmediate, setTimeout as pause } from "node:timers/promises";
import { directives, type Directive } from "../../../packages/testkit/src/fake-claude/directives.ts";
import { answerParts, isAfterTool, MESSAGE_BREAK } from "../conversation/answer.ts";
import { readOrder } from "../conversation/order.ts";
import { AgentLedger } from "../ledger/agent-ledger.ts";
import { startToolProcess } from "./tool-process.ts";

/**
 * Loaded into testkit's fake Claude by `--import`: teaches it the directive that carries an order, with a
 * ledger kept of it.
 */
let ledger: AgentLedger | undefined;

const chunks: Directive = async ({ output, argument }) => {
  const order = readOrder(argument);
  ledger ??= new AgentLedger();
  const page = ledger.page(order.canary, output.uuids.at(-1));
  page.taken();
  try {
    output.startMessage();
    for (const [index, part] of answerParts(order).entries()) {
      await pause(order.everyMs, undefined, { signal: output.signal });
      await setImmediate();
      output.signal.throwIfAborted();
      page.said(part);
      if (!isAfterTool(order, index + 1)) output.delta(part);
      else {
        useTool(output);
        // The break is what Synthesis puts between the two messages.
        output.delta(part.slice(MESSAGE_BREAK.length));
      }
    }
  } catch (error) {
    page.ended("cancelled");
    throw error;
  }
  page.ended("completed");
  output.endMessage();
};
Object.assign(directives, { chunks });

function useTool(output: Parameters<Directive>[0]["output"]): void {
  const tool_use_id = `toolu_nemesis_${process.pid}`;
  const call = { type: "tool_use", id: tool_use_id, name: "Bash", input: { command: "sleep" } };
  output.endMessage("tool_use", [call]);
  startToolProcess();
  output.user([{ type: "tool_result", tool_use_id, content: "done" }]);
  output.startMessage();
}
