import type { DatabaseSync, StatementSync } from "node:sqlite";

export type SqlValue = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

/** One connection with its prepared statements. Synchronous; throws what SQLite throws. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** Runs a statement; returns how many rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  get(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#statement(sql).all(...values);
  }

  transaction<T>(body: () => T): T {
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      const value = body();
      this.#connection.exec("COMMIT");
      return value;
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.#connection.isTransaction) this.#connection.exec("ROLLBACK");
      throw error;
    }
  }

  /** Gives free pages back to the file system. */
  shrink(): void {
    this.#connection.exec("PRAGMA incremental_vacuum");
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
