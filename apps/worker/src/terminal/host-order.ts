import type { ScreenSize } from "./screen.ts";

/** What a terminal's process is told by its worker. */
export interface HostOrder {
  /** To be pressed. */
  readonly keys?: string;
  /** In characters. */
  readonly size?: ScreenSize;
}
