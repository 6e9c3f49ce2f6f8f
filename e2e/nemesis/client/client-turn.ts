import type { Order } from "../conversation/order.ts";

/** The code with which a gateway that ends leaves its clients: their turns may go on in the workers. */
export const GATEWAY_ENDS = "shutting_down";

/** How one request of a turn went. */
export type Outcome =
  /** The whole answer: `[DONE]`, or a 200 with its body. */
  | { readonly kind: "completed" }
  /** An error of Synthesis, by HTTP status or as an event of the stream. */
  | {
      readonly kind: "error";
      readonly code: string;
      readonly message: string;
      readonly status: number;
      /** Whether the answer says that repeating makes sense. */
      readonly isRetryable: boolean;
    }
  /** The connection was lost, refused or silent for too long. */
  | { readonly kind: "cut"; readonly why: string }
  /** It ended in order, but is no whole answer: a client could take it for one. */
  | { readonly kind: "truncated"; readonly why: string }
  /** The client went away on purpose. */
  | { readonly kind: "left" };

/** One request of a turn: the first, or a repetition. Times are epoch ms. */
export interface Attempt {
  /** Posted (again), or read on from the turn's event stream. */
  readonly via: "post" | "events";
  readonly at: number;
  /** When the answer's headers came. */
  readonly headersAt?: number;
  readonly endedAt: number;
  /** `x-synthesis-turn`. */
  readonly turn?: string;
  /** The answer so far; with `events` that includes what the attempt before had. */
  readonly text: string;
  /** The sequence numbers of the events of this attempt, in their order. */
  readonly seqs: readonly number[];
  /** When each piece of the answer came, and its length in characters. */
  readonly pieces: readonly (readonly [atMs: number, length: number])[];
  readonly outcome: Outcome;
}

/** What a client means to do about one turn. */
export interface TurnPlan {
  readonly order: Order;
  readonly streamed: boolean;
  /** Whether it has an `Idempotency-Key`. */
  readonly keyed: boolean;
  /** How a client with a key goes on after a cut stream. */
  readonly resumesBy: "post" | "events";
  /**
   * `stays`: reads to the end. `leaves`: hangs up and is not interested any more. `returns`: hangs up and
   * posts again. `cancels`: asks for the turn's end by DELETE, which takes the turn's id, so a stream.
   */
  readonly manner: "stays" | "leaves" | "returns" | "cancels";
  /** When it hangs up or cancels, in ms after the headers; after the request where it is not streamed. */
  readonly afterMs: number;
}

/** One turn as its client saw it. */
export interface ClientTurn extends TurnPlan {
  readonly session: string;
  readonly workspace: string;
  readonly at: number;
  readonly endedAt: number;
  readonly attempts: readonly Attempt[];
  /** `answered`: the last attempt has its end. `left`: on purpose. `unanswered`: the client gave up at its deadline. */
  readonly end: "answered" | "left" | "unanswered";
}

/** The attempt that decided. */
export function lastAttempt({ attempts }: ClientTurn): Attempt | undefined {
  return attempts.at(-1);
}

/** Whether the client has a whole answer. */
export function isCompleted(turn: ClientTurn): boolean {
  return lastAttempt(turn)?.outcome.kind === "completed";
}
