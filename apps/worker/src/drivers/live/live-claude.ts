import { WireFailure } from "@synthesis/protocol";
import { DEAF_CAUSE } from "../channel/channel-process.ts";
import { CommandProcess, type CommandProcessOptions } from "../command/command-process.ts";
import type { Lease } from "./lease.ts";
import { LiveConversation } from "./live-conversation.ts";

/** Whose turn is to run on a live Claude. */
export interface LiveCaller {
  /** The agent's name. */
  readonly name: string;
  /** Hash of the API key whose session it is. */
  readonly caller: string;
}

const LET_GO = `Synthesis has let go of this Claude: end it, and run \`synthesis claude\` again. ${DEAF_CAUSE}`;

export type LiveClaudeOptions = Omit<CommandProcessOptions<Lease>, "ifDeaf" | "program" | "spawn">;

/**
 * The Claude that somebody started in a terminal as an agent. It has one memory, so it belongs to the first API key
 * that talks to it, and is at one conversation at a time.
 */
export class LiveClaude {
  readonly claude: CommandProcess<Lease>;
  /** The last one: only that is told what becomes of the Claude, which may have had many. */
  #conversation: LiveConversation | undefined;
  #caller: string | undefined;
  #isStarted = false;

  /** `lend` is given the bridge URL for its plugin. */
  constructor(options: LiveClaudeOptions, lend: (bridgeUrl: string) => Lease) {
    this.claude = new CommandProcess({ ...options, program: "claude", ifDeaf: LET_GO, spawn: lend });
    void this.claude.started.then(() => {
      this.#isStarted = true;
      this.#conversation?.begin();
    });
    void this.claude.closed.then((reason) => this.#conversation?.release(reason));
  }

  /**
   * Its process for a session. One that is idle gives it up; throws `agent_unavailable` where another is at a turn, or
   * of another key, and where the program is not known to run.
   */
  take({ name, caller }: LiveCaller): LiveConversation {
    if (this.claude.pid === undefined) {
      const message = `the live Claude "${name}" is just being started: send it again in a moment`;
      throw new WireFailure("agent_unavailable", message, { retryAfterMs: 1_000 });
    }
    this.#caller ??= caller;
    if (this.#caller !== caller) {
      const message = `the live Claude "${name}" is in a conversation of another API key: start one for this key when that has ended`;
      throw new WireFailure("agent_unavailable", message);
    }
    if (this.#conversation?.state === "running") {
      const message = `the live Claude "${name}" is at a message of another conversation: send it again when that is answered`;
      throw new WireFailure("agent_unavailable", message, { retryAfterMs: 5_000 });
    }
    void this.#conversation?.close({
      code: "replaced",
      message: "another conversation goes on with its Claude",
    });
    this.#conversation = new LiveConversation(this.claude);
    if (this.#isStarted) this.#conversation.begin();
    return this.#conversation;
  }
}
