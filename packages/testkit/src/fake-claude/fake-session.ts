import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { FAKE_VERSION } from "./fake-version.ts";
import { INTERRUPT_NOTE, promptEntry, type TranscriptEntry } from "./transcript-entry.ts";
import type { UserMessage } from "./user-message.ts";

/** A prompt of the conversation, and how far it got. */
interface Prompt {
  readonly uuid: string;
  readonly text: string;
  state: "open" | "answered" | "failed" | "interrupted";
}

/**
 * The conversation of one fake process, kept where and as the real one keeps it:
 * `$CLAUDE_CONFIG_DIR/projects/<folder>/<id>.jsonl`. Each entry is on disk when the call returns.
 */
export class FakeSession {
  readonly id: string;
  readonly #prompts: Prompt[] = [];
  #model: string | undefined;

  readonly #isKept: boolean;

  private constructor(id: string, isKept: boolean) {
    this.id = id;
    this.#isKept = isKept;
  }

  /** A new conversation; undefined where `id` has one already. Its file, if it is kept, appears with the first prompt. */
  static create(id: string, { isKept }: { readonly isKept: boolean }): FakeSession | undefined {
    return existsSync(fileOf(id)) ? undefined : new FakeSession(id, isKept);
  }

  /**
   * The conversation `from` up to and with its message `at`, as that of `id`, which may be `from` itself; undefined
   * where there is no such message.
   */
  static branch(from: string, at: string, id: string): FakeSession | undefined {
    if (!existsSync(fileOf(from))) return undefined;
    const lines = readFileSync(fileOf(from), "utf8").split("\n");
    const last = lines.findIndex((line) => parse(line)?.uuid === at);
    if (last < 0) return undefined;
    writeFileSync(fileOf(id), `${lines.slice(0, last + 1).join("\n")}\n`);
    return FakeSession.resume(id);
  }

  /** The conversation `id`, or undefined. */
  static resume(id: string): FakeSession | undefined {
    if (!existsSync(fileOf(id))) return undefined;
    const session = new FakeSession(id, true);
    for (const line of readFileSync(fileOf(id), "utf8").split("\n")) {
      const entry = parse(line);
      if (entry) session.#note(entry);
    }
    return session;
  }

  /** The model that answered last. */
  get model(): string | undefined {
    return this.#model;
  }

  /** The number of prompts so far. */
  get turns(): number {
    return this.#prompts.length;
  }

  /** How many prompts were answered. */
  get answers(): number {
    return this.#prompts.filter(({ state }) => state === "answered").length;
  }

  /** The last prompt, where nothing ended its turn; of one that failed the real CLI thinks so too. */
  get cutPrompt(): UserMessage | undefined {
    const last = this.#prompts.at(-1);
    if (last?.state !== "open" && last?.state !== "failed") return undefined;
    return { uuid: last.uuid, text: last.text, isVerbatim: true };
  }

  /** Whether the turn of this prompt ended: the real CLI drops a repetition then. */
  isOver(uuid: string): boolean {
    return this.#prompts.some((prompt) => prompt.uuid === uuid && prompt.state !== "open");
  }

  addPrompt({ uuid, text }: Pick<UserMessage, "uuid" | "text">): void {
    this.add(promptEntry(uuid, text));
  }

  add(entry: TranscriptEntry): void {
    this.#note(entry);
    if (!this.#isKept) return;
    mkdirSync(folder(), { recursive: true });
    const common = { isSidechain: false, cwd: process.cwd(), sessionId: this.id, version: FAKE_VERSION };
    const line = { ...entry, ...common, timestamp: new Date().toISOString() };
    appendFileSync(fileOf(this.id), `${JSON.stringify(line)}\n`);
  }

  #note(entry: TranscriptEntry): void {
    const { content, model, stop_reason } = entry.message;
    if (entry.promptSource !== undefined) {
      this.#prompts.push({
        uuid: entry.uuid,
        text: typeof content === "string" ? content : "",
        state: "open",
      });
      return;
    }
    const last = this.#prompts.at(-1);
    if (last === undefined) return;
    if (JSON.stringify(content).includes(INTERRUPT_NOTE)) last.state = "interrupted";
    if (entry.type === "user") return;
    if (entry.isApiErrorMessage) last.state = "failed";
    else this.#model = model;
    if (stop_reason === "end_turn") last.state = "answered";
  }
}

function parse(line: string): TranscriptEntry | undefined {
  try {
    const value: TranscriptEntry = JSON.parse(line);
    return value.message === undefined ? undefined : value;
  } catch {
    return undefined; // the half line of a process that was killed
  }
}

function folder(): string {
  const configDir = process.env["CLAUDE_CONFIG_DIR"] ?? join(homedir(), ".claude");
  return join(configDir, "projects", process.cwd().replaceAll(/[^a-zA-Z0-9]/g, "-"));
}

function fileOf(id: string): string {
  return join(folder(), `${id}.jsonl`);
}
