import * as z from "zod";

/** One conversation of the run: `w3.s1` is the first session of workspace `w3`. */
export type SessionName = `${string}.${string}`;

/** What a turn asks of its agent. The answer follows from it, byte by byte (`answer.ts`). */
export const Order = z.object({
  /** Names the turn among all of the run: session and number, such as `w3.s1.17`. */
  canary: z.string().regex(/^w\d+\.s\d+\.\d+$/),
  parts: z.number().int().positive(),
  /** Pause before each part, in ms. */
  everyMs: z.number().int().nonnegative(),
  /** Least length of each part. */
  partBytes: z.number().int().nonnegative(),
  /** In the middle, where there are two parts, the agent uses a tool, whose process outlives the use for a while. */
  usesTool: z.boolean(),
});
export type Order = z.infer<typeof Order>;

/** How a prompt with an order begins. testkit's fake Claude takes it for a directive. */
const DIRECTIVE = "!chunks ";

/** The prompt that carries this order. */
export function promptOf(order: Order): string {
  return `${DIRECTIVE}${JSON.stringify(order)}`;
}

/** The last order in a text, if there is one: a text may tell earlier prompts first. */
export function orderIn(text: string): Order | undefined {
  const line = text.split("\n").findLast((candidate) => candidate.startsWith(DIRECTIVE));
  return line === undefined ? undefined : readOrder(line.slice(DIRECTIVE.length));
}

/** The order as it follows the directive. */
export function readOrder(json: string): Order {
  return Order.parse(JSON.parse(json));
}

/** The session that a canary belongs to. */
export function sessionOf(canary: string): SessionName {
  const [workspace = "", session = ""] = canary.split(".");
  return `${workspace}.${session}`;
}

/** Every canary in a text. */
export function canariesIn(text: string): readonly string[] {
  return [...new Set(text.match(/\bw\d+\.s\d+\.\d+\b/g))];
}
