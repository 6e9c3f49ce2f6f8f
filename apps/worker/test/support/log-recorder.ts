import type { LogFields, Logger } from "@synthesis/kit";

/** A logger that keeps what it is told. */
export class LogRecorder implements Logger {
  readonly lines: { readonly event: string; readonly fields: LogFields }[] = [];

  debug = (event: string, fields: LogFields = {}) => this.#add(event, fields);
  info = (event: string, fields: LogFields = {}) => this.#add(event, fields);
  warn = (event: string, fields: LogFields = {}) => this.#add(event, fields);
  error = (event: string, fields: LogFields = {}) => this.#add(event, fields);

  child(): Logger {
    return this;
  }

  /** The fields of every line of this event. */
  fieldsOf(event: string): LogFields[] {
    return this.lines.filter((line) => line.event === event).map(({ fields }) => fields);
  }

  #add(event: string, fields: LogFields): void {
    this.lines.push({ event, fields });
  }
}
