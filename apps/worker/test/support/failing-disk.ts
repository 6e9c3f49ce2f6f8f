import { DatabaseSync, StatementSync } from "node:sqlite";

/** As SQLite reports a full disk through node:sqlite (measured on a full tmpfs). */
const fullDisk = () =>
  Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });

/**
 * A disk that refuses writes of this process's journals, from SQLite's own edge on: each statement that changes
 * rows, and each commit, is one write. What fails has no effect, as with SQLite.
 */
export class FailingDisk implements Disposable {
  readonly #run = StatementSync.prototype.run;
  readonly #exec = DatabaseSync.prototype.exec;
  readonly #connections = new Set<DatabaseSync>();
  #fails: (write: number) => boolean = () => false;
  #writes = 0;

  constructor() {
    const disk = this;
    const run = this.#run;
    const exec = this.#exec;
    StatementSync.prototype.run = function (this: StatementSync, ...values: never[]) {
      disk.#write();
      return run.apply(this, values);
    };
    DatabaseSync.prototype.exec = function (sql) {
      disk.#connections.add(this);
      if (/COMMIT|incremental_vacuum/.test(sql)) disk.#write();
      exec.call(this, sql);
    };
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
    this.#limitPages(1); // at least as many as there are
  }

  /** There is space again. */
  recover(): void {
    this.#fails = () => false;
    this.#limitPages(1_000_000);
  }

  [Symbol.dispose](): void {
    StatementSync.prototype.run = this.#run;
    DatabaseSync.prototype.exec = this.#exec;
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
