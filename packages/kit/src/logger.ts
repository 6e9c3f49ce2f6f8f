/** Least to most severe. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Structured log: `event` is a fixed dotted name, everything variable goes into `fields`. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
}

const MAX_FIELD_CHARACTERS = 2048;

/** What JSON leaves as it is and a terminal or a log reader may take for a control sequence or a line's end. */
const LEFT_BY_JSON = /[\u007F-\u009F\u2028\u2029]/g;

/**
 * Writes one JSON line per call to stderr. It escapes control characters, so nothing that a client or an
 * agent says can start a line of its own; long fields are cut. Prompts and answers are never logged.
 */
export function createLogger(level: LogLevel, fields: LogFields = {}): Logger {
  const lowest = logLevels.indexOf(level);
  const write = (at: LogLevel, event: string, more: LogFields = {}) => {
    if (logLevels.indexOf(at) < lowest) return;
    const line = { time: new Date().toISOString(), level: at, event, ...fields, ...more };
    process.stderr.write(`${JSON.stringify(line, cutLongStrings).replaceAll(LEFT_BY_JSON, escaped)}\n`);
  };
  return {
    debug: (event, more) => write("debug", event, more),
    info: (event, more) => write("info", event, more),
    warn: (event, more) => write("warn", event, more),
    error: (event, more) => write("error", event, more),
    child: (more) => createLogger(level, { ...fields, ...more }),
  };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function cutLongStrings(_key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= MAX_FIELD_CHARACTERS) return value;
  return `${value.slice(0, MAX_FIELD_CHARACTERS)}…`;
}
