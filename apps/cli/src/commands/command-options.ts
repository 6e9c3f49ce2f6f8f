/** Where a command looks, as commander hands it over. */
export interface LocationOptions {
  readonly config?: string;
  readonly stateDir?: string;
  readonly runtimeDir?: string;
}

/** That, and what a flag or variable sets above the configuration file. */
export interface ServerOptions extends LocationOptions {
  readonly host?: string;
  readonly port?: number;
}

/** That, and how long running turns may go on before they are cut. */
export interface DrainOptions extends LocationOptions {
  /** In ms; absent: `limits.drainMs` of the running instance. */
  readonly drain?: number;
}

/** That, and which workspace is meant. */
export interface WorkspaceOptions extends LocationOptions {
  /** Its name or path; absent: every one that has a worker. */
  readonly workspace?: string;
}

/** That, and what becomes of the keys. */
export interface AttachOptions extends WorkspaceOptions {
  /** They go to the other terminal. */
  readonly takeOver?: true;
}

/** That, and which agent is meant. */
export interface ClaudeOptions extends LocationOptions {
  /** Absent: the only one that can be started in a terminal. */
  readonly agent?: string;
}

/** That, and what a verdict says beside yes and no. */
export interface VerdictOptions extends WorkspaceOptions {
  readonly message?: string;
  /** Each as `QUESTION=LABEL`. */
  readonly answer?: readonly string[];
}
