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
