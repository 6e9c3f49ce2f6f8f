import type { CloseReason } from "@synthesis/kit";
import { WireFailure } from "@synthesis/protocol";
import { nanoid } from "nanoid";
import type { AgentProcess } from "../agent-process.ts";
import { channelArguments, pluginEnvironment, type ChannelSettings } from "../channel/channel-arguments.ts";
import type { AgentSurroundings } from "../open-agent.ts";
import type { Lease } from "./lease.ts";
import { LiveClaude, type LiveCaller } from "./live-claude.ts";

export type LiveClaudesOptions = Omit<AgentSurroundings, "liveClaudes">;

/** The Claudes that people started in their own terminals, by the agent that each is: one for each. */
export class LiveClaudes {
  readonly #options: LiveClaudesOptions;
  readonly #live = new Map<string, LiveClaude>();

  constructor(options: LiveClaudesOptions) {
    this.#options = options;
  }

  /**
   * Returns the settings of the agent called `name`. Throws `model_not_found` or `invalid_request` where no live Claude can be it, and
   * `agent_unavailable` where there is one.
   */
  check(name: string): ChannelSettings {
    const agent = this.#options.configuration.agents[name];
    if (agent === undefined)
      throw new WireFailure("model_not_found", `no agent of this workspace is called "${name}"`);
    if (agent.driver !== "channel" || agent.terminal !== "yours") {
      const message = `the agent "${name}" is none that you start: give it driver: channel and terminal: yours`;
      throw new WireFailure("invalid_request", message);
    }
    if (!this.#live.has(name)) return agent;
    const message = `the agent "${name}" is a live Claude in another terminal already: end that first`;
    throw new WireFailure("agent_unavailable", message);
  }

  /** Makes what `lease` stands for the agent called `name`, as long as that lasts, and tells it how. Throws what {@link check} does. */
  add(name: string, lease: Lease): void {
    const agent = this.check(name);
    const { configuration, bridge, received, log } = this.#options;
    const { path, limits, claude } = configuration;
    const sessionKey = `live:${name}:${nanoid()}`;
    const inbox = received.inbox(sessionKey, "process");
    const live = new LiveClaude(
      {
        bridge,
        inbox,
        sessionKey,
        workspacePath: path,
        limits,
        log,
        onUnsolicited: () => this.#options.onUnsolicited(),
      },
      (bridgeUrl) => {
        const env = { ...claude.env, ...pluginEnvironment(bridgeUrl, sessionKey) };
        lease.greet({ type: "live", cwd: path, bin: claude.bin, args: channelArguments(agent, inbox), env });
        return lease;
      },
    );
    this.#live.set(name, live);
    log.info("live.started", { agent: name });
    void live.claude.closed.then(({ message }) => {
      log.info("live.ended", { agent: name, why: message });
      this.#live.delete(name);
    });
  }

  /** The live Claude as a process for a session. Throws `agent_unavailable` where there is none, or what `LiveClaude.take` does. */
  take(caller: LiveCaller): AgentProcess {
    const live = this.#live.get(caller.name);
    if (live !== undefined) return live.take(caller);
    const message = `nobody has started the live Claude "${caller.name}", or Synthesis has let go of it: end that one, run \`synthesis claude --agent ${caller.name}\` in a terminal, and keep it open`;
    throw new WireFailure("agent_unavailable", message);
  }

  /** Lets go of them all. */
  async close(reason: CloseReason): Promise<void> {
    await Promise.all([...this.#live.values()].map(async ({ claude }) => claude.close(reason)));
  }
}
