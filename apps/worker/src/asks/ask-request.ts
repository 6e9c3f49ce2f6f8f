import type { AgentAsk } from "@synthesis/protocol";

/** What an agent asks a person: see `AgentAsk`. */
export interface AskRequest extends Pick<AgentAsk, "kind" | "tool" | "title" | "always" | "questions"> {
  /** What the tool would be called with. */
  readonly input: Readonly<Record<string, unknown>>;
}
