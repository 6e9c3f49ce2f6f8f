import { hash } from "node:crypto";
import type { ChosenAgent } from "../identity/choose-agent.ts";

/** Says which configuration answers: another one as soon as the agent's or its model is. */
export function systemFingerprint(agent: ChosenAgent, settings: object | undefined): string {
  const text = JSON.stringify([agent.name, agent.model, settings]);
  return `fp_${hash("sha256", text, "hex").slice(0, 16)}`;
}
