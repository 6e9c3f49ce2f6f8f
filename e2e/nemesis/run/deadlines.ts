import { limits } from "../instance/configuration.ts";
import type { Deadlines } from "../oracle/evidence.ts";

/** A turn may be finished by a second process after its first one was cut; stopping it takes a while. */
const turnMs = 2 * limits.turnMs + limits.interruptMs + limits.closeMs + 5_000;

/** What a run holds ends to. A client's patience is for two turns, for it may have to queue. */
export const deadlines: Deadlines = { turnMs, patienceMs: 2 * turnMs + 30_000 };
