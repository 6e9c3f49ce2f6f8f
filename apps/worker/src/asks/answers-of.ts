import { readVerdict, type AgentAsk, type AskQuestion, type AskVerdict } from "@synthesis/protocol";

type Answers = Record<string, string>;

/**
 * The answers of a verdict by question, as far as there are any that it takes: `answers`, or what `message` says, which
 * answers the only question, or has one line for each. An option may be named by its place, from 1, or in other case.
 */
export function answersOf(questions: readonly AskQuestion[], verdict: AskWords): Answers {
  const said = saidTo(questions, verdict);
  const pairs = questions.flatMap((question): [string, string][] => {
    const answer = chosen(question, ownOf(said, question.question));
    return answer === "" ? [] : [[question.question, answer]];
  });
  return Object.fromEntries(pairs);
}

type AskWords = Pick<AskVerdict, "message" | "answers">;

function saidTo(questions: readonly AskQuestion[], { message = "", answers }: AskWords): Answers {
  if (answers !== undefined) return answers;
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const said = (index: number) => {
    if (questions.length === 1) return message.trim();
    return lines.length === questions.length ? (lines[index]?.trim() ?? "") : "";
  };
  return Object.fromEntries(questions.map(({ question }, index) => [question, said(index)]));
}

/**
 * The questions that a verdict leaves open, though it must not: of what a tool's server wants to know one answer will do,
 * where nothing was said to the others.
 */
export function unanswered(
  { kind, questions = [] }: Pick<AgentAsk, "kind" | "questions">,
  verdict: AskVerdict,
): readonly AskQuestion[] {
  if (verdict.behavior === "deny") return [];
  const answers = answersOf(questions, verdict);
  const lacking = questions.filter(({ question }) => !Object.hasOwn(answers, question));
  if (kind === "question" || lacking.length === questions.length) return lacking;
  const said = saidTo(questions, verdict);
  return lacking.filter(({ question }) => ownOf(said, question).trim() !== "");
}

/** A question may be called as what every object has. */
function ownOf(answers: Readonly<Answers>, question: string): string {
  return Object.hasOwn(answers, question) ? (answers[question] ?? "") : "";
}

/** The answer as its question takes it; empty: it does not. */
function chosen({ takes, options, isMultiple }: AskQuestion, answer: string): string {
  const said = answer.trim();
  if (takes === "number") return Number.isFinite(Number(said)) ? said : "";
  if (takes === "integer") return Number.isInteger(Number(said)) ? said : "";
  const parts = isMultiple ? said.split(",").map((part) => part.trim()) : [said];
  const labels = parts.map((part) => labelOf(options, part));
  if (!labels.includes(undefined)) return labels.join(", ");
  return takes === "option" ? "" : said;
}

function labelOf(options: AskQuestion["options"], part: string): string | undefined {
  const called = (name: string) => options.find(({ label }) => label.toLowerCase() === name.toLowerCase());
  const placed = /^\d+$/.test(part) ? options[Number(part) - 1] : undefined;
  return (called(part) ?? placed ?? called(yesOrNo(part)))?.label;
}

/** What a person, or a program, may say for it. */
function yesOrNo(part: string): string {
  if (/^true$/i.test(part)) return "yes";
  if (/^false$/i.test(part)) return "no";
  const verdict = readVerdict(part);
  if (verdict === undefined || verdict.message !== undefined) return "";
  return { allow: "yes", deny: "no", always: "" }[verdict.behavior];
}
