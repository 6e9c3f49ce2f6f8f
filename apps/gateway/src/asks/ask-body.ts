import type { AgentAsk, AskSettlement } from "@synthesis/protocol";
import { isoTime } from "../http/iso-time.ts";

/** An open ask as the API tells it. */
export function askBody(ask: AgentAsk): object {
  const { id, session, turn, agent, kind, tool, title, input, inputLeftOut, always, questions } = ask;
  const { askedAt, deadlineAt } = ask;
  return {
    id,
    session,
    turn,
    agent,
    kind,
    tool,
    title,
    input,
    input_left_out: inputLeftOut,
    always,
    questions: questions?.map(({ isMultiple, ...question }) => ({ ...question, multiple: isMultiple })),
    asked_at: isoTime(askedAt),
    deadline_at: isoTime(deadlineAt),
  };
}

/** How an ask was settled, as the API tells it. */
export function settlementBody({ ask, behavior, by }: AskSettlement): object {
  return { id: ask, behavior, by };
}
