import type { Submit } from "@synthesis/protocol";
import type { AllowedRuleTable } from "./allowed-rule-table.ts";
import { instructionsHash } from "./instructions-hash.ts";
import type { NewPoint, PointTable } from "./point-table.ts";
import type { SessionRecord, SessionTable } from "./session-table.ts";
import type { TurnOrigin } from "./turn-origin.ts";

/**
 * What a turn leaves in its session's transcript. none: it came to nothing, all is as before. prompt: nothing but
 * what the client said. answer: its agent's answer too.
 */
export type TurnTranscript =
  | { readonly state: "none" }
  | {
      readonly state: "prompt" | "answer";
      /** Hash of the client's instructions that the agent was told in it. */
      readonly instructions?: string | undefined;
      /** Hash of the transcript with the answer; undefined where it is not known. */
      readonly hash?: string | undefined;
      /** The agent's name for the answer's end, where its conversation can branch off there. */
      readonly anchor?: string | undefined;
    };

interface TranscriptTables {
  readonly sessions: SessionTable;
  readonly points: PointTable;
  readonly allowedRules: AllowedRuleTable;
}

/**
 * Leads the sessions and the points of their transcripts along with the edges of their turns; within a transaction.
 * A stateless turn leaves nothing.
 */
export class Transcripts {
  readonly #sessions: SessionTable;
  readonly #points: PointTable;
  readonly #allowedRules: AllowedRuleTable;

  constructor({ sessions, points, allowedRules }: TranscriptTables) {
    this.#sessions = sessions;
    this.#points = points;
    this.#allowedRules = allowedRules;
  }

  /** Brings the session of an accepted turn to where that one goes on from, and adds what the client says. */
  accept(order: Submit, origin: TurnOrigin): SessionRecord {
    const { id } = order.session;
    if (order.isStateless === true) return this.#sessions.get(id);
    this.#goTo(id, origin);
    const record = this.#sessions.get(id);
    const instructions = instructionsHash(order) ?? record.instructions;
    this.#add({ ...record, instructions }, { turn: order.turn, kind: "prompt", hash: order.transcript });
    return record;
  }

  /** The prompt is about to be written; `anchor`: the agent's name for it, where its conversation can branch off there. */
  start(turn: string, session: string, anchor: string | undefined): void {
    this.#sessions.markAgentStarted(session);
    const { agentSession } = this.#sessions.get(session);
    if (anchor !== undefined) this.#points.setPlace(session, turn, { agentSession, anchor });
  }

  end(turn: string, session: string, left: TurnTranscript): void {
    if (left.state === "none") return this.#points.dropTurn(session, turn);
    const { instructions, hash, anchor } = left;
    if (instructions !== undefined) this.#sessions.setInstructions(session, instructions);
    if (left.state === "answer")
      this.#add(this.#sessions.get(session), { turn, kind: "answer", hash, anchor });
  }

  /** The agent lost its side of a session, which goes on with nothing but what this turn tells it. */
  renew(session: string, turn: string): void {
    this.#sessions.renewAgentSession(session);
    this.#allowedRules.forget(session);
    this.#points.dropAllBut(session, turn);
  }

  #goTo(session: string, origin: TurnOrigin): void {
    switch (origin.kind) {
      case "end":
        if (origin.at !== undefined) this.#points.dropAfter(session, origin.at.position);
        return;
      case "anew":
        this.#points.dropAfter(session, 0);
        this.#sessions.renewAgentSession(session);
        this.#allowedRules.forget(session);
        return;
      case "branch": {
        const { at, place } = origin;
        const record = this.#sessions.branchAgentSession(session, place, at.instructions);
        if (at.session === session) return this.#points.dropAfter(session, at.position);
        this.#allowedRules.forget(session);
        this.#points.dropAfter(session, 0);
        this.#points.inherit(record, at);
        this.#sessions.setBranchOf(session, at.session);
      }
    }
  }

  #add(
    { id, scope, agentSession, instructions }: SessionRecord,
    {
      turn,
      kind,
      hash,
      anchor,
    }: Pick<NewPoint, "turn" | "kind" | "hash"> & { readonly anchor?: string | undefined },
  ): void {
    const place = anchor === undefined ? undefined : { agentSession, anchor };
    this.#points.add({ session: id, scope, hash, turn, kind, place, instructions });
  }
}
