import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A conversation as the fake keeps it in `$CLAUDE_CONFIG_DIR/fake-sessions/<id>.json`. */
export interface SessionRecord {
  readonly id: string;
  readonly model: string | undefined;
  readonly costUsd: number;
  readonly history: readonly { readonly role: "user" | "assistant"; readonly text: string }[];
  /** Uuids of user messages whose turn has ended: the real CLI drops a repetition. */
  readonly completed: readonly string[];
}

/** The conversation of one fake process; each change is on disk when the call returns. */
export class FakeSession {
  #record: SessionRecord;

  private constructor(record: SessionRecord) {
    this.#record = record;
  }

  /** A new conversation; undefined where `id` has one already. Its file appears with the first turn. */
  static create(id: string): FakeSession | undefined {
    if (existsSync(fileOf(id))) return undefined;
    return new FakeSession({ id, model: undefined, costUsd: 0, history: [], completed: [] });
  }

  /** The conversation `id`, or undefined. */
  static resume(id: string): FakeSession | undefined {
    if (!existsSync(fileOf(id))) return undefined;
    const record: SessionRecord = JSON.parse(readFileSync(fileOf(id), "utf8"));
    return new FakeSession(record);
  }

  get record(): SessionRecord {
    return this.#record;
  }

  /** The number of user messages so far. */
  get turns(): number {
    return this.#record.history.filter(({ role }) => role === "user").length;
  }

  add(role: "user" | "assistant", text: string): void {
    this.#change({ history: [...this.#record.history, { role, text }] });
  }

  complete(uuids: readonly string[], costUsd: number): void {
    this.#change({
      completed: [...this.#record.completed, ...uuids],
      costUsd: this.#record.costUsd + costUsd,
    });
  }

  setModel(model: string): void {
    this.#record = { ...this.#record, model };
  }

  #change(change: Partial<SessionRecord>): void {
    this.#record = { ...this.#record, ...change };
    const file = fileOf(this.#record.id);
    mkdirSync(folder(), { recursive: true });
    // By rename, so that a SIGKILL never leaves half a file.
    writeFileSync(`${file}.new`, JSON.stringify(this.#record));
    renameSync(`${file}.new`, file);
  }
}

function folder(): string {
  return join(process.env["CLAUDE_CONFIG_DIR"] ?? join(homedir(), ".claude"), "fake-sessions");
}

function fileOf(id: string): string {
  return join(folder(), `${encodeURIComponent(id)}.json`);
}
