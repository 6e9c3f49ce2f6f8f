import type { PermissionRule } from "../drivers/claude/permission-rule.ts";
import type { Database, Row } from "./database.ts";

/** Of one session. */
const MAX_RULES = 256;
/** Of one session: a process is told them by one argument, which Linux bounds at 128 KiB, and as JSON they may be six times as long. */
const MAX_BYTES = 16_384;

/** What people have allowed for good in each session, as long as the session is what it was when they did. */
export class AllowedRuleTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * The last ones allowed stay, at most 256 and 16 KiB of a session. Throws, with nothing added, where there is no such
   * session, or where not all of these would stay.
   */
  add(session: string, rules: readonly PermissionRule[]): void {
    const bytes = rules.reduce((sum, rule) => sum + bytesOf(rule), 0);
    if (rules.length > MAX_RULES || bytes > MAX_BYTES)
      throw new Error(
        `${rules.length} rules of ${bytes} bytes are more than a session keeps: allow fewer at once`,
      );
    for (const { toolName, ruleContent = "" } of rules)
      this.#database.run(
        "INSERT OR REPLACE INTO allowed_rules (session, tool, content) VALUES (?, ?, ?)",
        session,
        toolName,
        ruleContent,
      );
    this.#database.run(
      `DELETE FROM allowed_rules WHERE rowid IN (
        SELECT rowid FROM (
          SELECT rowid,
            row_number() OVER newest AS n,
            sum(octet_length(tool) + octet_length(content)) OVER newest AS bytes
          FROM allowed_rules WHERE session = ? WINDOW newest AS (ORDER BY rowid DESC)
        ) WHERE n > ? OR bytes > ?
      )`,
      session,
      MAX_RULES,
      MAX_BYTES,
    );
  }

  /** Those of a session, in the order in which they were allowed last. */
  of(session: string): readonly PermissionRule[] {
    const rows = this.#database.all(
      "SELECT tool, content FROM allowed_rules WHERE session = ? ORDER BY rowid",
      session,
    );
    return rows.map(read);
  }

  /** The session begins anew. */
  forget(session: string): void {
    this.#database.run("DELETE FROM allowed_rules WHERE session = ?", session);
  }
}

function bytesOf({ toolName, ruleContent = "" }: PermissionRule): number {
  return Buffer.byteLength(toolName) + Buffer.byteLength(ruleContent);
}

function read({ tool, content }: Row): PermissionRule {
  return content === ""
    ? { toolName: String(tool) }
    : { toolName: String(tool), ruleContent: String(content) };
}
