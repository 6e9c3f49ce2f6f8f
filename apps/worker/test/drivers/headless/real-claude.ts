import { MessagesStandIn } from "@synthesis/testkit";
import { ClaudeRig, type RigOptions } from "./claude-rig.ts";

/** The real CLI with the stand-in that it talks to. */
export async function startReal(agent: RigOptions["agent"] = {}) {
  const stack = new AsyncDisposableStack();
  const api = stack.use(await MessagesStandIn.start());
  const rig = stack.use(await ClaudeRig.start({ api, agent }));
  return { api, rig, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
