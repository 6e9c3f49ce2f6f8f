import type { WorkerConfiguration } from "../../worker-configuration.ts";
import { claudeEnvironment } from "../../process/child-environment.ts";

/** What Claude Code is told unless the configuration says otherwise. */
const DEFAULTS = {
  /** Retries against its API before it gives up; its default of 10 takes three minutes. */
  CLAUDE_CODE_MAX_RETRIES: "4",
  /**
   * A prompt is in the transcript before anything is made of it; otherwise up to 100 ms later, when a tool may
   * have run already (measured with 2.1.330). That a prompt was never worked on is known by it.
   */
  CLAUDE_CODE_EAGER_FLUSH: "1",
  /** Calls that waited for the client when their process ended are over: their results come as text. */
  CLAUDE_CODE_DISABLE_DEFERRED_TOOL_RESUME: "1",
};

/** Makes Claude Code go on, at its start and by itself, with the turn that its session was cut in. */
export const RESUME_TURN = { CLAUDE_CODE_RESUME_INTERRUPTED_TURN: "1" };

/** The environment of Claude Code: an allow-list of the worker's own, and what the configuration adds. */
export function claudeProcessEnvironment({
  claude,
}: Pick<WorkerConfiguration, "claude">): Readonly<Record<string, string>> {
  return { ...DEFAULTS, ...claudeEnvironment(process.env), ...claude.env };
}
