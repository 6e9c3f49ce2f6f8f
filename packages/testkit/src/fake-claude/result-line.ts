import type { FakeSession } from "./fake-session.ts";

/** How a turn of the fake ended. */
export interface TurnOutcome {
  readonly subtype: "success" | "error_during_execution";
  readonly isError: boolean;
  readonly terminalReason: string;
  /** The text of the last assistant block; absent in `error_…` results. */
  readonly text?: string;
  readonly stopReason: string | null;
  readonly apiErrorStatus?: number;
  readonly errors?: readonly string[];
  /** The last call that waits for the client. */
  readonly deferredCall?: object | undefined;
  /** The answer that meets a schema. */
  readonly structuredOutput?: unknown;
}

/** What one answer of the fake costs. */
const TURN_COST_USD = 0.000148;

/** The `result` line of a turn. */
export function resultLine(
  session: FakeSession,
  model: string,
  uuids: readonly string[],
  outcome: TurnOutcome,
  facts: {
    readonly numTurns: number;
    readonly durationMs: number;
    readonly resultIndex: number;
    readonly queued: number;
    readonly isResumed: boolean;
  },
) {
  const isPaid = !outcome.isError;
  const usage = {
    inputTokens: isPaid ? 12 : 0,
    outputTokens: isPaid ? 5 : 0,
    costUSD: isPaid ? TURN_COST_USD : 0,
  };
  return {
    type: "result",
    subtype: outcome.subtype,
    is_error: outcome.isError,
    terminal_reason: outcome.terminalReason,
    ...(outcome.text === undefined ? {} : { result: outcome.text }),
    ...(outcome.errors === undefined ? {} : { errors: outcome.errors }),
    ...(outcome.subtype === "success" ? { api_error_status: outcome.apiErrorStatus ?? null } : {}),
    ...(outcome.deferredCall === undefined ? {} : { deferred_tool_use: outcome.deferredCall }),
    ...(outcome.structuredOutput === undefined ? {} : { structured_output: outcome.structuredOutput }),
    stop_reason: outcome.stopReason,
    session_id: session.id,
    total_cost_usd: session.answers * TURN_COST_USD,
    usage: usageLine(usage.inputTokens, usage.outputTokens),
    modelUsage: { [model]: usage },
    model_usage_since_last_result: { [model]: usage },
    permission_denials: [],
    num_turns: facts.numTurns,
    duration_ms: facts.durationMs,
    duration_api_ms: facts.durationMs,
    ...(uuids.length === 0 ? {} : { user_message_uuid: uuids.at(-1), user_message_uuids: uuids }),
    ...(facts.isResumed ? { resume_reason: "interrupted_turn" } : {}),
    queued_turn_count: facts.queued,
    result_index: facts.resultIndex,
  } as const;
}

/** The zeroed `result` line of a resume whose conversation, or whose place in it, does not exist. */
export function refusedSessionLine(id: string, error: string) {
  return {
    type: "result",
    subtype: "error_during_execution",
    duration_ms: 0,
    duration_api_ms: 0,
    is_error: true,
    num_turns: 0,
    stop_reason: null,
    session_id: id,
    total_cost_usd: 0,
    usage: usageLine(0, 0),
    modelUsage: {},
    permission_denials: [],
    errors: [error],
    result_index: 0,
  } as const;
}

function usageLine(inputTokens: number, outputTokens: number) {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 },
    service_tier: "standard",
  } as const;
}
