import type { CloseReason } from "@synthesis/kit";
import type { TerminalChild } from "../../terminal/terminal-child.ts";
import type { AgentProcess, AgentTurn, AgentTurnEnd, TurnEvents } from "../agent-process.ts";
import { CommandProcess, type CommandProcessOptions } from "../command/command-process.ts";
import { screenTrouble, type ScreenTrouble } from "./screen-trouble.ts";

export interface ChannelProcessOptions extends Omit<CommandProcessOptions<TerminalChild>, "ifDeaf"> {
  /** The session's id, for messages. */
  readonly session: string;
}

/** What may be the cause where Claude never sees a message. */
export const DEAF_CAUSE =
  "Claude Code drops a channel's messages without a word where its account has no channels: use an agent with driver: headless then";
/** Of its screen, in a message. */
const SHOWN_CHARACTERS = 300;

/**
 * An interactive Claude Code with the plugin, in a terminal that nobody needs to look at. What it says comes over the
 * bridge; its screen is looked at only till a message has reached it, for what keeps messages from it: from then on it
 * shows what others wrote.
 */
export class ChannelProcess implements AgentProcess {
  readonly #claude: CommandProcess<TerminalChild>;
  readonly #session: string;

  constructor(options: ChannelProcessOptions) {
    this.#session = options.session;
    this.#claude = new CommandProcess({
      ...options,
      ifDeaf: `the next message starts it anew. ${DEAF_CAUSE}`,
    });
  }

  get terminal(): TerminalChild {
    return this.#claude.child;
  }

  get pid(): number | undefined {
    return this.#claude.pid;
  }

  get isAlive(): boolean {
    return this.#claude.isAlive;
  }

  get started(): Promise<void> {
    return this.#claude.started;
  }

  get closed(): Promise<CloseReason> {
    return this.#claude.closed;
  }

  /** A conversation in a terminal cannot branch. */
  get anchor(): undefined {
    return undefined;
  }

  async run(turn: AgentTurn, events: TurnEvents): Promise<AgentTurnEnd> {
    const { terminal } = this;
    let trouble: ScreenTrouble | undefined;
    const look = () => {
      trouble ??= this.#trouble();
      if (trouble !== undefined) this.#claude.giveUp(trouble.error);
    };
    const { stop } = terminal.watch({ onDrawn: look, onResized: () => {} });
    try {
      const ended = this.#claude.run(turn, events);
      look();
      const end = await ended;
      if (trouble?.kind === "dropping") await this.kill({ code: "unusable", message: trouble.error.message });
      return end.state === "not_begun" ? this.#withScreen(end) : end;
    } finally {
      stop();
    }
  }

  fits(): boolean {
    return true;
  }

  async steer(): Promise<boolean> {
    return this.#claude.steer();
  }

  withdrawSteer(): void {
    this.#claude.withdrawSteer();
  }

  interrupt(): void {
    this.#claude.interrupt();
  }

  async close(reason: CloseReason): Promise<void> {
    await this.#claude.close(reason);
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.#claude.kill(reason);
  }

  /** What its screen says keeps messages from it, as long as none has reached it. */
  #trouble(): ScreenTrouble | undefined {
    const { reach } = this.#claude;
    return reach === "agent" ? undefined : screenTrouble(this.terminal.text, this.#session, reach);
  }

  /** It ended by itself: what it said last is the cause. */
  #withScreen({ state, error }: Extract<AgentTurnEnd, { state: "not_begun" }>): AgentTurnEnd {
    const shown = this.terminal.text.replaceAll(/\s+/g, " ").slice(-SHOWN_CHARACTERS);
    return { state, error: { ...error, message: `${error.message}; its screen: ${shown || "empty"}` } };
  }
}
