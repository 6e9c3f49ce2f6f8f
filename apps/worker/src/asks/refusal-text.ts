import type { AgentAsk, AskSettler } from "@synthesis/protocol";

/** What an agent is told where nobody said why not. */
export function refusalText({ askedAt, deadlineAt }: AgentAsk, by: AskSettler): string {
  switch (by) {
    case "chat":
    case "api":
    case "cli":
      return "the user was asked and said no";
    case "deadline":
      return `the user was asked and did not answer within ${deadlineAt - askedAt} ms (asks.deadlineMs): go on without it`;
    case "client_left":
      return "the user has left, so nobody can allow it";
    case "drain":
      return "the service is being restarted, so nobody can be asked: end the turn, and ask again in the next one";
    case "agent":
      return "the ask was withdrawn";
  }
}
