import { createHash } from "node:crypto";
import type { Order } from "./order.ts";

/** What Synthesis puts between two messages of Claude: a tool's use ends the first. */
export const MESSAGE_BREAK = "\n\n";

/**
 * The parts of the one right answer to an order. Each names the turn and its place, and the last has a
 * checksum of all before it: what is missing, doubled, swapped or somebody else's can be seen in the bytes.
 */
export function answerParts(order: Order): readonly string[] {
  const { canary, parts, partBytes } = order;
  const said: string[] = [];
  for (let place = 1; place <= parts; place++) {
    const head = `${isAfterTool(order, place) ? MESSAGE_BREAK : ""}[${canary} ${place}/${parts}`;
    said.push(`${head.padEnd(partBytes, ".")}]`);
  }
  const sum = createHash("sha256").update(said.join("")).digest("hex").slice(0, 12);
  said.push(`[${canary} end ${sum}]`);
  return said;
}

/** The one right answer to an order. */
export function answerTo(order: Order): string {
  return answerParts(order).join("");
}

/** Whether the part at `place` (from 1) is the first one after the order's tool was used. */
export function isAfterTool({ usesTool, parts }: Order, place: number): boolean {
  return usesTool && parts > 1 && place === Math.floor(parts / 2) + 1;
}
