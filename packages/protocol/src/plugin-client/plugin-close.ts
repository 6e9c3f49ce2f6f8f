/** Why a plugin client ended; the first reason wins. */
export interface PluginClose {
  /**
   * `closed`: by `close()`. `refused`: by the bridge, for good (1001, 4001, 4002, 4003, 4005). `lost`: no connection
   * for `giveUpAfterMs`, or none possible. `unreadable`: the bridge sent what this version cannot read.
   */
  readonly code: "closed" | "refused" | "lost" | "unreadable";
  /** One sentence for people. Never contains the URL, which carries the secret. */
  readonly message: string;
}
