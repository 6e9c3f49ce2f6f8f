import { DatabaseSync, StatementSync } from "node:sqlite";
import { vi } from "vitest";

/** As SQLite reports a full disk through node:sqlite (measured on a full tmpfs). */
const fullDisk = () =>
  Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });

/**
 * A disk that refuses writes of this process's journals, from SQLite's own edge on: each statement that changes
 * rows, and each commit, is one write. What fails has no effect, as with SQLite.
 */
export class FailingDisk implements Disposable {
  readonly #spies: readonly Disposable[];
  readonly #connections = new Set<DatabaseSync>();
  #fails: (write: number) => boolean = () => false;
  #writes = 0;

  constructor() {
    const run = original(StatementSync.prototype, "run");
    const exec = original(DatabaseSync.prototype, "exec");
    const write = () => this.#write();
    const note = (connection: DatabaseSync) => this.#connections.add(connection);
    this.#spies = [
      vi.spyOn(StatementSync.prototype, "run").mockImplementation(function (
        this: StatementSync,
        ...values: Parameters<StatementSync["run"]>
      ) {
        write();
        return run.apply(this, values);
      }),
      vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql: string) {
        note(this);
        if (/COMMIT|incremental_vacuum/.test(sql)) write();
        exec.call(this, sql);
      }),
    ];
  }

  /** How many writes there were. */
  get writes(): number {
    return this.#writes;
  }

  /** Every write fails until {@link recover}. */
  fill(): void {
    this.#fails = () => true;
  }

  /** Only the `n`-th write fails, counted from now. */
  failNth(n: number): void {
    const failing = this.#writes + n;
    this.#fails = (write) => write === failing;
  }

  /** No open database may grow any more: SQLite itself fails then, until {@link recover}. */
  fillDatabases(): void {
    this.#limitPages(1); // SQLite takes it for as many as there are
  }

  /** There is space again. */
  recover(): void {
    this.#fails = () => false;
    this.#limitPages(1_000_000);
  }

  [Symbol.dispose](): void {
    for (const spy of this.#spies) spy[Symbol.dispose]();
  }

  #limitPages(max: number): void {
    for (const connection of this.#connections)
      if (connection.isOpen) connection.exec(`PRAGMA max_page_count = ${max}`);
  }

  #write(): void {
    this.#writes++;
    if (this.#fails(this.#writes)) throw fullDisk();
  }
}

/** A method as it is before it is spied on. */
function original<T, Name extends keyof T>(prototype: T, name: Name): T[Name] {
  return prototype[name];
}
