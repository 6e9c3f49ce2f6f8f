import { PluginClient, type PluginClientOptions } from "./client.ts";

/** What Synthesis sets for every `command` agent that it starts. */
export interface PluginEnvironment {
  readonly SYNTHESIS_BRIDGE_URL?: string | undefined;
  readonly SYNTHESIS_SESSION_KEY?: string | undefined;
}

/** A variable that Synthesis sets for its agents is missing or empty. */
export class MissingVariableError extends Error {
  override readonly name = "MissingVariableError";
  readonly variable: keyof PluginEnvironment;

  constructor(variable: keyof PluginEnvironment) {
    super(`${variable} is not set: this process was not started by Synthesis`);
    this.variable = variable;
  }
}

/**
 * A client whose URL and session key come from `SYNTHESIS_BRIDGE_URL` and `SYNTHESIS_SESSION_KEY`, unless
 * `options` has them. Throws a {@link MissingVariableError} where neither names one.
 */
export function pluginClientFromEnvironment(
  options: Omit<PluginClientOptions, "url" | "sessionKey"> & {
    readonly url?: string;
    readonly sessionKey?: string;
  },
  environment: PluginEnvironment = process.env,
): PluginClient {
  const url = options.url || environment.SYNTHESIS_BRIDGE_URL;
  if (!url) throw new MissingVariableError("SYNTHESIS_BRIDGE_URL");
  const sessionKey = options.sessionKey || environment.SYNTHESIS_SESSION_KEY;
  if (!sessionKey) throw new MissingVariableError("SYNTHESIS_SESSION_KEY");
  return new PluginClient({ ...options, url, sessionKey });
}
