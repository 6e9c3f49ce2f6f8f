/**
 * What makes a journal of each schema version from the one before; a journal that is opened is brought up to
 * date. Never changed once released: a new version is a new entry.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    agent TEXT NOT NULL,
    scope TEXT NOT NULL,
    head TEXT,
    agent_session TEXT NOT NULL,
    agent_started INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_head ON sessions (scope, head);
  CREATE TABLE turns (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    error_code TEXT
  ) STRICT;
  CREATE INDEX turns_by_session ON turns (session, accepted_at);
  CREATE INDEX turns_by_state ON turns (state);
  `,
  // How a repetition of its request finds a turn, what is needed to run it later, and what it said.
  `
  ALTER TABLE sessions ADD COLUMN caller TEXT NOT NULL DEFAULT '';
  ALTER TABLE turns ADD COLUMN caller TEXT NOT NULL DEFAULT '';
  ALTER TABLE turns ADD COLUMN request_key TEXT;
  ALTER TABLE turns ADD COLUMN request_body TEXT NOT NULL DEFAULT '';
  ALTER TABLE turns ADD COLUMN request_prompt TEXT NOT NULL DEFAULT '';
  ALTER TABLE turns ADD COLUMN submit_frame TEXT;
  ALTER TABLE turns ADD COLUMN end_frame TEXT;
  ALTER TABLE turns ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE turns ADD COLUMN resumes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE turns ADD COLUMN taken_at INTEGER;
  ALTER TABLE turns ADD COLUMN is_void INTEGER NOT NULL DEFAULT 0;
  CREATE UNIQUE INDEX turns_by_key ON turns (caller, request_key) WHERE request_key IS NOT NULL;
  CREATE INDEX turns_by_body ON turns (caller, request_body, accepted_at);
  CREATE INDEX turns_by_prompt ON turns (caller, request_prompt, accepted_at);
  CREATE INDEX turns_by_end ON turns (ended_at);
  CREATE TABLE turn_events (
    turn TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (turn, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL) STRICT;
  INSERT INTO owner (one, epoch) VALUES (1, 0);
  `,
  // The points of each session's transcript, instead of its end alone, and how its agent's side of it came about.
  `
  CREATE TABLE points (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    scope TEXT NOT NULL,
    hash TEXT,
    turn TEXT NOT NULL,
    kind TEXT NOT NULL,
    agent_session TEXT,
    mark TEXT,
    instructions TEXT,
    PRIMARY KEY (session, position)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX points_by_hash ON points (scope, hash);
  CREATE INDEX points_by_turn ON points (turn);
  INSERT INTO points (session, position, scope, hash, turn, kind)
    SELECT id, 1, scope, head, '', 'answer' FROM sessions WHERE head IS NOT NULL OR agent_started = 1;
  DROP INDEX sessions_by_head;
  ALTER TABLE sessions DROP COLUMN head;
  ALTER TABLE sessions ADD COLUMN instructions TEXT;
  ALTER TABLE sessions ADD COLUMN branch_of TEXT;
  ALTER TABLE sessions ADD COLUMN family TEXT NOT NULL DEFAULT '';
  ALTER TABLE sessions ADD COLUMN origin_session TEXT;
  ALTER TABLE sessions ADD COLUMN origin_mark TEXT;
  ALTER TABLE sessions ADD COLUMN is_stateless INTEGER NOT NULL DEFAULT 0;
  UPDATE sessions SET family = id;
  `,
  // What people have allowed for good in a session.
  `
  CREATE TABLE allowed_rules (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    tool TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (session, tool, content)
  ) STRICT;
  `,
  // How often a turn was taken up: one that ends its worker would do so for ever.
  `
  ALTER TABLE turns ADD COLUMN take_ups INTEGER NOT NULL DEFAULT 0;
  `,
];
