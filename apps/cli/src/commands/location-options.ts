/** Where a command looks, as commander hands it over. */
export interface LocationOptions {
  readonly config?: string;
  readonly stateDir?: string;
  readonly runtimeDir?: string;
}
