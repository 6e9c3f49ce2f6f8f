import { hash } from "node:crypto";
import type { Logger } from "@synthesis/kit";
import { WireFailure, type Prompt, type Submit, type WireError } from "@synthesis/protocol";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import { composeHistory, forgotten, type Match } from "../turn-request/compose-history.ts";
import { readConversation, type Conversation } from "../turn-request/conversation.ts";
import { demandedCall, isBinding, withChoice } from "../turn-request/required-call.ts";
import { matchSession, type TurnSession } from "../identity/choose-session.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import { checkOrderSize } from "./order-size.ts";
import type { IncomingTurn } from "./incoming-turn.ts";

export interface TurnOrdersOptions {
  readonly turn: string;
  readonly incoming: IncomingTurn;
  readonly session: TurnSession;
  /** Largest body of a request, in bytes. */
  readonly bodyBytes: number;
  readonly log: Logger;
}

type Asked = Pick<TurnOrdersOptions, "incoming" | "session"> & { readonly conversation: Conversation };

/** So often a worker may find that its session is not what it was when it was asked. */
const MAX_REFUSALS = 3;

/** What workers are told to run for one turn, by what they know of its session. */
export class TurnOrders {
  readonly #options: Omit<TurnOrdersOptions, keyof Asked>;
  /** Let go of as soon as a worker has it: it may be megabytes, and the turn may last an hour. */
  #asked: Asked | undefined;
  #refusals = 0;

  constructor({ incoming, session, ...options }: TurnOrdersOptions) {
    this.#options = options;
    this.#asked = { incoming, session, conversation: conversationOf(incoming, session) };
  }

  /** As `TurnDraft.compose`; besides rejects with `body_too_large` for an order that its worker would not take. */
  async compose(link: WorkerLink, refusal?: WireError): Promise<Submit> {
    const asked = this.#held();
    const { turn, log, bodyBytes } = this.#options;
    const { incoming, session, conversation } = asked;
    const { outcome, order: told } = composeHistory(conversation, await this.#match(asked, link, refusal));
    const prompt = withChoice(told.prompt, incoming.turnRequest.toolChoice);
    const submit = { ...submitOf(turn, asked), ...told, prompt };
    checkOrderSize(submit, bodyBytes);
    log.info("turn.ordered", { turn, session: session.id, rule: session.rule, history: outcome });
    return submit;
  }

  /** As `TurnDraft.steering`. */
  async steering(link: WorkerLink): Promise<Prompt | undefined> {
    const { session, incoming, conversation } = this.#held();
    if (session.match !== undefined) return undefined; // it was free when it was chosen
    const match = await matchSession(session.id, incoming, link);
    const { outcome, order: told } = composeHistory(conversation, match);
    if (outcome !== "continued" && outcome !== "appended") return undefined;
    checkOrderSize(told, this.#options.bodyBytes);
    return told.prompt;
  }

  /** A worker has it: nothing is composed any more. */
  release(): void {
    this.#asked = undefined;
  }

  #held(): Asked {
    if (this.#asked === undefined) throw new Error(`turn ${this.#options.turn} was handed over already`);
    return this.#asked;
  }

  async #match(
    { session, incoming }: Asked,
    link: WorkerLink,
    refusal: WireError | undefined,
  ): Promise<Match> {
    const { match } = session;
    if (refusal !== undefined) this.#countRefusal(refusal);
    if (match === undefined) {
      const matched = await matchSession(session.id, incoming, link);
      return refusal?.code === "session_lost" ? forgotten(matched) : matched;
    }
    if (refusal === undefined) return match;
    // The session of somebody else's turns is left alone, and what only its agent knows cannot be told again.
    const isOthers = match.type === "head" && refusal.code === "history_changed";
    const isUntold = match.type === "earlier" && session.rule === "previous-turn";
    if (isUntold) throw notToGoOnFrom();
    if (isOthers || !("point" in match)) throw WireFailure.from(refusal);
    return match.type === "earlier" ? { type: "unknown" } : forgotten(match);
  }

  /** Throws what no other order can mend. */
  #countRefusal(refusal: WireError): void {
    const isMended = refusal.code === "session_lost" || refusal.code === "history_changed";
    this.#refusals++;
    if (!isMended || this.#refusals > MAX_REFUSALS) throw WireFailure.from(refusal);
  }
}

function notToGoOnFrom(): WireFailure {
  const message =
    "previous_response_id: the agent cannot go on from this response any more: name the session's latest one, or send the messages themselves";
  return new WireFailure("invalid_request", message);
}

function submitOf(
  turn: string,
  { incoming, session: { id, key, scope } }: Asked,
): Omit<Submit, "prompt" | "needsMemory"> {
  const { turnRequest, agent, request, said, filesUrl } = incoming;
  const { toolChoice } = turnRequest;
  return {
    type: "submit",
    turn,
    request,
    session: { id, key, agent: agent.name, scope },
    ...(said === undefined ? {} : { said }),
    ...(turnRequest.isStreamed ? {} : { isReadWhole: true as const }),
    ...(filesUrl === undefined ? {} : { filesUrl }),
    ...(agent.model === undefined ? {} : { model: agent.model }),
    ...(turnRequest.effort === undefined ? {} : { effort: turnRequest.effort }),
    ...instructionsOf(turnRequest),
    ...(turnRequest.tools.length === 0 ? {} : { tools: [...turnRequest.tools] }),
    ...(isBinding(toolChoice) ? { mustCall: demandedCall(toolChoice) } : {}),
    ...(turnRequest.answerSchema === undefined ? {} : { answerSchema: turnRequest.answerSchema }),
  };
}

function instructionsOf({
  instructions,
  lastingInstructions: lasting,
}: TurnRequest): Pick<Submit, "instructions" | "instructionsHash"> {
  if (instructions === undefined) return {};
  return lasting === undefined
    ? { instructions }
    : { instructions, instructionsHash: hash("sha256", lasting, "hex") };
}

/** Where it goes on from an earlier turn, its messages go on from there. */
function conversationOf(
  { identity, clues, words, conversation }: IncomingTurn,
  { match }: TurnSession,
): Conversation {
  if (identity.rule !== "previous-turn" || match === undefined || !("point" in match)) return conversation;
  return readConversation(clues.turnRequest.messages, { base: match.point, words, isPart: true });
}
