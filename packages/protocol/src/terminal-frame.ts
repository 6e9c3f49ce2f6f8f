import * as z from "zod";

const Cells = z.number().int().min(1).max(1_000);

/**
 * Said as text, both ways, on the WebSocket of a session's screen: the screen has this size from here on; of a client
 * that may press keys: its terminal has. Bytes of the screen, and keys pressed, are binary messages.
 */
export const TerminalSize = z.object({ type: z.literal("size"), cols: Cells, rows: Cells });
export type TerminalSize = z.infer<typeof TerminalSize>;

/** Said first on the WebSocket of a live Claude: with what to start it, so that it is the agent that was named. */
export const LiveWelcome = z.object({
  type: z.literal("live"),
  /** The workspace's folder. */
  cwd: z.string(),
  bin: z.string(),
  args: z.array(z.string()),
  /** Above the terminal's own environment. */
  env: z.record(z.string(), z.string()),
});
export type LiveWelcome = z.infer<typeof LiveWelcome>;

/** Said to it by whoever started that Claude. */
export const LiveStarted = z.object({ type: z.literal("started"), pid: z.number().int().positive() });
export type LiveStarted = z.infer<typeof LiveStarted>;
