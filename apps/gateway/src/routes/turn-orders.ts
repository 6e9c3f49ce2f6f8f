import { hash } from "node:crypto";
import type { Logger } from "@synthesis/kit";
import { WireFailure, type Prompt, type Submit, type WireError } from "@synthesis/protocol";
import type { TurnRequest } from "../turn-request/turn-request.ts";
import { composeHistory, forgotten, type Match } from "../turn-request/compose-history.ts";
import { readConversation, type Conversation } from "../turn-request/conversation.ts";
import { withChoice } from "../turn-request/required-call.ts";
import { matchSession, type TurnSession } from "../identity/find-session.ts";
import { saidByUser } from "../asks/said-by-user.ts";
import type { WorkerLink } from "../worker/worker-link.ts";
import type { RequestOrder } from "./request-order.ts";

export interface TurnOrdersOptions {
  readonly turn: string;
  readonly order: RequestOrder;
  readonly session: TurnSession;
  readonly log: Logger;
}

/** So often a worker may find that its session is not what it was when it was asked. */
const MAX_REFUSALS = 3;

/** What workers are told to run for one turn, by what they know of its session. */
export class TurnOrders {
  readonly #options: TurnOrdersOptions;
  readonly #conversation: Conversation;
  #refusals = 0;

  constructor(options: TurnOrdersOptions) {
    this.#options = options;
    this.#conversation = conversationOf(options);
  }

  /** As `TurnDraft.compose`. */
  async compose(link: WorkerLink, refusal?: WireError): Promise<Submit> {
    const { turn, session, order, log } = this.#options;
    const { outcome, order: told } = composeHistory(this.#conversation, await this.#match(link, refusal));
    log.info("turn.ordered", { turn, session: session.id, rule: session.rule, history: outcome });
    const prompt = withChoice(told.prompt, order.turnRequest.toolChoice);
    const said = saidByUser(order);
    return { ...this.#base(), ...told, prompt, ...(said === undefined || said === prompt ? {} : { said }) };
  }

  /** As `TurnDraft.steering`. */
  async steering(link: WorkerLink): Promise<Prompt | undefined> {
    const { session, order } = this.#options;
    if (session.match !== undefined) return undefined; // it was free when it was chosen
    const match = await matchSession(session.id, order, link);
    const { outcome, order: told } = composeHistory(this.#conversation, match);
    return outcome === "continued" || outcome === "appended" ? told.prompt : undefined;
  }

  async #match(link: WorkerLink, refusal: WireError | undefined): Promise<Match> {
    const { session, order } = this.#options;
    const { match } = session;
    const isMended = refusal?.code === "session_lost" || refusal?.code === "history_changed";
    if (refusal !== undefined && (!isMended || ++this.#refusals > MAX_REFUSALS))
      throw WireFailure.from(refusal);
    if (match === undefined) {
      const matched = await matchSession(session.id, order, link);
      return refusal?.code === "session_lost" ? forgotten(matched) : matched;
    }
    if (refusal === undefined) return match;
    // The session of somebody else's turns is left alone, and what only its agent knows cannot be told again.
    const isOthers = match.type === "head" && refusal.code === "history_changed";
    const isUntold = match.type === "earlier" && session.rule === "previous-turn";
    if (isOthers || isUntold || !("point" in match)) throw WireFailure.from(refusal);
    return match.type === "earlier" ? { type: "unknown" } : forgotten(match);
  }

  #base(): Omit<Submit, "prompt" | "needsMemory"> {
    const { turn, order, session } = this.#options;
    const { turnRequest, agent, request, receivedAt } = order;
    const { id, key, scope } = session;
    return {
      type: "submit",
      turn,
      request,
      session: { id, key, agent: agent.name, scope },
      receivedAt,
      ...(agent.model === undefined ? {} : { model: agent.model }),
      ...(turnRequest.effort === undefined ? {} : { effort: turnRequest.effort }),
      ...instructionsOf(turnRequest),
      ...(turnRequest.tools.length === 0 ? {} : { tools: [...turnRequest.tools] }),
      ...(turnRequest.answerSchema === undefined ? {} : { answerSchema: turnRequest.answerSchema }),
    };
  }
}

function instructionsOf({
  instructions,
  lastingInstructions: lasting,
}: TurnRequest): Pick<Submit, "instructions" | "instructionsMark"> {
  if (instructions === undefined) return {};
  return lasting === undefined
    ? { instructions }
    : { instructions, instructionsMark: hash("sha256", lasting, "hex") };
}

/** Where it goes on from an earlier turn, its messages go on from there. */
function conversationOf({ order, session: { match } }: TurnOrdersOptions): Conversation {
  const { identity, clues, words, conversation } = order;
  if (identity.rule !== "previous-turn" || match === undefined || !("point" in match)) return conversation;
  return readConversation(clues.turnRequest.messages, { base: match.point, words, isPart: true });
}
