import { setTimeout as pause } from "node:timers/promises";
import type { Random } from "../nemesis/random.ts";
import { openStream, type AnswerStream } from "../support/answer-stream.ts";
import { ask } from "../support/chat.ts";
import type { Synthesis } from "../support/synthesis.ts";
import { unlessCut } from "./in-time.ts";
import type { Verdicts } from "./verdicts.ts";

const WORDS = ["yes", "no", "no, because"] as const;
const SESSIONS = 3;
/** A word that comes so soon after a verdict may have been meant for that one. */
const DOUBLE_TAP_MS = 1_000;

export interface AskingUserOptions {
  readonly synthesis: Synthesis;
  /** The agent, called as its `asks.mode`. */
  readonly mode: "chat" | "hold";
  readonly name: string;
  readonly verdicts: Verdicts;
  readonly random: Random;
}

interface Session {
  readonly model: string;
  readonly session: string;
}

/** Has an agent ask for commands, each of its own name, in a few sessions, and answers each question once. */
export class AskingUser {
  readonly sessions: readonly Session[];
  readonly #options: AskingUserOptions;

  constructor(options: AskingUserOptions) {
    const { mode, name } = options;
    this.#options = options;
    this.sessions = Array.from({ length: SESSIONS }, (_, index) => ({
      model: mode,
      session: `${mode}-${name}${index}`,
    }));
  }

  /** One question after the other till `until`. */
  async goOn(until: AbortSignal): Promise<void> {
    const { mode, verdicts } = this.#options;
    for (let round = 0; !until.aborted; round++) {
      const session = this.sessions[round % SESSIONS]!;
      const command = `touch ${session.session}-${round}`;
      const isAnswered = await (mode === "chat"
        ? this.#inChat(session, command)
        : this.#inHold(session, command));
      if (isAnswered) continue;
      verdicts.note(`${mode}: not asked`);
      await pause(100);
    }
  }

  /** The answer ends with the question; the verdict is the next message. False: there was no question. */
  async #inChat(session: Session, command: string): Promise<boolean> {
    const { synthesis, verdicts } = this.#options;
    const asked = await unlessCut(
      `question ${command}`,
      ask(synthesis, { ...session, say: askFor(command) }),
    );
    if (asked?.content?.includes(titleOf(command)) !== true) return false;
    const word = await this.#decide(command);
    const answer = await unlessCut(`${word} to ${command}`, ask(synthesis, { ...session, say: word }));
    verdicts.came("chat", word, answer);
    return true;
  }

  /** The stream with the question stays open; the verdict's answer is the rest of it. False: there was no question. */
  async #inHold(session: Session, command: string): Promise<boolean> {
    const { synthesis } = this.#options;
    const say = askFor(command);
    const stream = await unlessCut(`stream ${command}`, openStream(synthesis, { ...session, say }));
    if (stream === undefined || !(await unlessCut(`question ${command}`, isAsked(stream, command))))
      return false;
    const word = await this.#decide(command);
    let isOver = false;
    await Promise.all([
      unlessCut(`rest of ${command}`, stream.end()).then(() => (isOver = true)),
      this.#sayTill(() => isOver, session, word),
    ]);
    return true;
  }

  /** Says it, and again as long as it is taken for the session's last verdict, said twice. */
  async #sayTill(isOver: () => boolean, session: Session, word: string): Promise<void> {
    const { synthesis, verdicts } = this.#options;
    for (;;) {
      const said = openStream(synthesis, { ...session, say: word }).then((answer) => answer.end());
      const answer = await unlessCut(`${word} in ${session.session}`, said);
      verdicts.came("hold", word, answer);
      if (answer?.status !== 409) return;
      await pause(DOUBLE_TAP_MS);
      if (isOver()) return;
    }
  }

  async #decide(command: string): Promise<string> {
    const { random, verdicts } = this.#options;
    await pause(random.chance(0.2) ? random.between(1_000, 2_000) : random.between(0, 400));
    const word = random.pick(WORDS);
    verdicts.say(command, word);
    return word;
  }
}

const askFor = (command: string) => `!ask Bash ${JSON.stringify({ command })}`;
const titleOf = (command: string) => `Bash: ${command}\``;

/** Whether the stream comes to the question; else it has ended. */
async function isAsked(stream: AnswerStream, command: string): Promise<boolean> {
  try {
    await stream.until(titleOf(command));
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("the answer ended before")) return false;
    throw error;
  }
}
