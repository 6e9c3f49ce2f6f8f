import type { AskSettler } from "@synthesis/protocol";

/** What an agent is told that is denied something; a person may have said why besides. */
export function refusalText(by: AskSettler, deadlineMs: number): string {
  switch (by) {
    case "chat":
    case "api":
    case "cli":
      return "the user was asked and said no";
    case "deadline":
      return `the user was asked and did not answer within ${deadlineMs} ms (asks.deadlineMs): go on without it`;
    case "cancelled":
      return "the turn was cancelled, so nobody can allow it";
    case "drain":
      return "the service is being restarted, so nobody can be asked: end the turn, and ask again in the next one";
    case "agent":
      return "the ask was withdrawn";
  }
}
