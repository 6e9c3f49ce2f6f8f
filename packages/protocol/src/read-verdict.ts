import type { AgentAsk, AskQuestion, AskVerdict } from "./agent-ask.ts";

const YES = /^(?:yes|y|allow|ok)[.!]*$/i;
const ALWAYS = /^always[.!]*$/i;
/** Alone, or set apart from a reason after it. */
const NO = /^(?:no|deny)(?:$|(?:\s*[,.:;!\n]+|\s+-\s)\s*(?<reason>.*)$)/isu;
/** The beginning of a sentence, such as "no problem" or "no need for that". */
const NO_SENTENCE = /^(?:no|deny)(?![\p{L}\p{N}])/iu;
const MAX_MESSAGE = 16_384;

/**
 * The verdict that the whole of a message in a chat is on an ask: `yes` (or `y`, `allow`, `ok`), `always`, or `no` (or
 * `deny`), which may have a reason after it; of a sentence that begins so, all of it is the reason. Of kind `question`
 * and `input` any other text is the answer, and so is an option that is called as one of these words. Undefined: it is
 * none.
 */
export function readVerdict(
  text: string,
  { kind = "permission", questions = [] }: Partial<Pick<AgentAsk, "kind" | "questions">> = {},
): AskVerdict | undefined {
  const said = text.trim();
  if (said === "") return undefined;
  const isAnswered = kind === "question" || kind === "input";
  if (isAnswered && isChoice(said, questions)) return { behavior: "allow", ...messageOf(said) };
  const no = NO.exec(said)?.groups;
  if (no !== undefined) return { behavior: "deny", ...messageOf(no["reason"] ?? "") };
  if (isAnswered) return { behavior: "allow", ...messageOf(said) };
  if (NO_SENTENCE.test(said)) return { behavior: "deny", ...messageOf(said) };
  if (YES.test(said)) return { behavior: "allow" };
  return ALWAYS.test(said) ? { behavior: "always" } : undefined;
}

/** Whether it names an option, of any question, or on the question's own line where it has one for each. */
function isChoice(said: string, questions: readonly AskQuestion[]): boolean {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const isByLine = lines.length === questions.length;
  return questions.some((question, index) => isOption(question, (isByLine ? lines[index] : said) ?? said));
}

function isOption({ options, isMultiple }: AskQuestion, said: string): boolean {
  const labels = new Set(options.map(({ label }) => label.trim().toLowerCase()));
  const parts = isMultiple ? said.split(",") : [said];
  const isLabel = (text: string) => labels.has(text) || labels.has(text.replace(/[.!]+$/, ""));
  return parts.every((part) => isLabel(part.trim().toLowerCase()));
}

function messageOf(text: string): Pick<AskVerdict, "message"> {
  return text === "" ? {} : { message: text.slice(0, MAX_MESSAGE) };
}
