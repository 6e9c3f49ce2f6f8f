import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isCorrupt } from "./database-error.ts";

export type SqlValue = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

/** One connection with its prepared statements. Synchronous; throws what SQLite throws. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #onDamage: () => void;
  readonly #statements = new Map<string, StatementSync>();

  /** `onDamage` is called whenever SQLite trips over a damaged file, before it throws. */
  constructor(connection: DatabaseSync, onDamage: () => void) {
    this.#connection = connection;
    this.#onDamage = onDamage;
  }

  /** Runs a statement; returns how many rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return this.#watched(() => Number(this.#statement(sql).run(...values).changes));
  }

  get(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#watched(() => this.#statement(sql).get(...values));
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#watched(() => this.#statement(sql).all(...values));
  }

  transaction<T>(body: () => T): T {
    this.#exec("BEGIN IMMEDIATE");
    try {
      const value = body();
      this.#exec("COMMIT");
      return value;
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.#connection.isTransaction) this.#connection.exec("ROLLBACK");
      throw error;
    }
  }

  /** Gives free pages back to the file system. */
  shrink(): void {
    this.#exec("PRAGMA incremental_vacuum");
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #exec(sql: string): void {
    this.#watched(() => this.#connection.exec(sql));
  }

  #watched<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isCorrupt(error)) this.#onDamage();
      throw error;
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
