import * as z from "zod";

/** Which agent process wrote a line, and for which turn. */
const line = {
  /** Epoch ms. The order of the lines in the file is the order in which they were written. */
  at: z.number(),
  canary: z.string(),
  workspace: z.string(),
  /** Unique among all agent processes; absent where the ledger is kept at the stand-in of Claude's API. */
  process: z.string().optional(),
  pid: z.number().int().optional(),
  /** Generation of the worker that started the process. */
  epoch: z.number().int().optional(),
  /** The turn's id, as far as the agent knows it. */
  turn: z.string().optional(),
};

/** One line of the ledger that the agents keep: written before its effect. */
export const LedgerEntry = z.discriminatedUnion("type", [
  /** The agent took up a prompt. */
  z.object({ ...line, type: z.literal("taken") }),
  /** It is about to say this. */
  z.object({ ...line, type: z.literal("said"), text: z.string() }),
  /** It says no more. */
  z.object({ ...line, type: z.literal("ended"), how: z.enum(["completed", "cancelled"]) }),
]);
export type LedgerEntry = z.infer<typeof LedgerEntry>;
