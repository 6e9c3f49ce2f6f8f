import type { AgentAsk, AskVerdict } from "./agent-ask.ts";

const YES = new Set(["yes", "y", "allow", "ok"]);
const NO = /^(?:no|deny)(?![\p{L}\p{N}])[\s,.:;!-]*(?<reason>.*)$/isu;
const MAX_MESSAGE = 16_384;

/**
 * The verdict that a message in a chat is, by its first line: `yes` (or `y`, `allow`, `ok`), `always`, or `no` (or
 * `deny`) with a reason after it. Of kind `question` and `input` any other text is the answer. Undefined: it is none.
 */
export function readVerdict(text: string, kind: AgentAsk["kind"] = "permission"): AskVerdict | undefined {
  const said = text.trim();
  const no = NO.exec(said)?.groups;
  if (no !== undefined) return { behavior: "deny", ...messageOf(no["reason"] ?? "") };
  if (said !== "" && (kind === "question" || kind === "input"))
    return { behavior: "allow", ...messageOf(said) };
  const word = (said.split("\n", 1)[0] ?? "")
    .trim()
    .toLowerCase()
    .replace(/[.!]+$/, "");
  if (YES.has(word)) return { behavior: "allow" };
  return word === "always" ? { behavior: "always" } : undefined;
}

function messageOf(text: string): Pick<AskVerdict, "message"> {
  return text === "" ? {} : { message: text.slice(0, MAX_MESSAGE) };
}
