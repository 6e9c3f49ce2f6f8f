import type { TurnEvents } from "../agent-process.ts";
import type { ClaudeLine, LineOf, RateLimitInfo } from "./claude-line.ts";
import { rateLimitError, UNKNOWN_RESET_MS } from "./rate-limit.ts";

/** API statuses that asking again does not mend; Claude Code would go on for minutes. */
const HOPELESS_STATUSES: ReadonlySet<number> = new Set([401, 403]);

/** What the API did, by the status of its answer. */
const troubles: Readonly<Record<number, string>> = {
  429: "limits the rate of this account",
  503: "is overloaded",
  529: "is overloaded",
};

/** What Claude Code tells of trouble with its API within one turn: shown as life, or the end of the turn's hope. */
export class ApiTrouble {
  readonly #events: Pick<TurnEvents, "onNote" | "onLife" | "onHopeless" | "onAccountHeld">;
  readonly #rateLimitMs: number;
  #errorKind: string | undefined;
  #resetsAt: number | undefined;

  /** `rateLimitMs`: the longest pause for a rate limit that the turn sits out. */
  constructor(
    events: Pick<TurnEvents, "onNote" | "onLife" | "onHopeless" | "onAccountHeld">,
    rateLimitMs: number,
  ) {
    this.#events = events;
    this.#rateLimitMs = rateLimitMs;
  }

  /** The word of the message that Claude Code made up to report an API error. */
  get errorKind(): string | undefined {
    return this.#errorKind;
  }

  /** When the account's limit ends (epoch ms), where it was told. */
  get resetsAt(): number | undefined {
    return this.#resetsAt;
  }

  read(line: ClaudeLine): void {
    if (line.type === "system" && line.subtype === "api_retry") this.#readRetry(line);
    if (line.type === "rate_limit_event") this.#readLimit(line.rate_limit_info);
    if (line.type !== "assistant" || line.parent_tool_use_id != null || line.error == null) return;
    this.#errorKind = line.error;
    const limit = line.api_error_params?.rate_limit_info;
    if (limit?.resetsAt !== undefined) this.#resetsAt = limit.resetsAt * 1000;
  }

  /** The turn ended with the API's refusal for its rate. */
  noteRefused(): void {
    this.#events.onAccountHeld(this.#resetsAt ?? Date.now() + UNKNOWN_RESET_MS);
  }

  #readRetry({ error_status: status, retry_delay_ms: delayMs = 0 }: LineOf<"system">): void {
    if (status != null && HOPELESS_STATUSES.has(status)) {
      const message = `Claude's API refused its credentials (${status}): check the account that Claude Code runs with`;
      return this.#events.onHopeless({ code: "upstream_authentication", message });
    }
    if (status === 429 && delayMs > this.#rateLimitMs) {
      const why = `it asks for a pause of ${delayMs} ms, limits.rateLimitMs is ${this.#rateLimitMs}`;
      return this.#giveUp(Date.now() + delayMs, why);
    }
    this.#events.onNote(`[${describeRetry(status ?? undefined, delayMs)}]\n`);
    this.#events.onLife(delayMs);
  }

  #readLimit({ status, resetsAt, isUsingOverage }: RateLimitInfo): void {
    if (status !== "rejected" || isUsingOverage === true) return;
    this.#giveUp(resetsAt === undefined ? undefined : resetsAt * 1000, "its usage limit is reached");
  }

  #giveUp(resetsAt: number | undefined, why: string): void {
    this.#resetsAt = resetsAt;
    this.#events.onHopeless(rateLimitError(resetsAt, why));
    this.noteRefused();
  }
}

function describeRetry(status: number | undefined, delayMs: number): string {
  const what = status === undefined ? "did not answer" : `${troubles[status] ?? "failed"} (${status})`;
  return `Claude's API ${what}: trying again in ${Math.ceil(delayMs / 1000)} s`;
}
