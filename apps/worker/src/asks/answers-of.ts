import type { AgentAsk, AskQuestion, AskVerdict } from "@synthesis/protocol";

/**
 * The answers of a verdict by question, as far as there are any: `answers`, or what `message` says, which answers the only
 * question, or has one line for each. An option may be named by its place, from 1, or in other case.
 */
export function answersOf(
  questions: readonly AskQuestion[],
  { message = "", answers }: Pick<AskVerdict, "message" | "answers">,
): Record<string, string> {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const said = (index: number) => {
    if (questions.length === 1) return message.trim();
    return lines.length === questions.length ? (lines[index]?.trim() ?? "") : "";
  };
  const pairs = questions.map((question, index): [string, string] => {
    const answer = answers === undefined ? said(index) : ownOf(answers, question.question);
    return [question.question, chosen(question, answer)];
  });
  return Object.fromEntries(pairs.filter(([, answer]) => answer !== ""));
}

/** The questions that a verdict leaves open, though it must not; of what a tool's server wants to know, one answer will do. */
export function unanswered(
  { kind, questions = [] }: Pick<AgentAsk, "kind" | "questions">,
  verdict: AskVerdict,
): readonly AskQuestion[] {
  if (verdict.behavior === "deny") return [];
  const answers = answersOf(questions, verdict);
  const lacking = questions.filter(({ question }) => !Object.hasOwn(answers, question));
  return kind === "question" || lacking.length === questions.length ? lacking : [];
}

/** A question may be called as what every object has. */
function ownOf(answers: Readonly<Record<string, string>>, question: string): string {
  return Object.hasOwn(answers, question) ? (answers[question] ?? "") : "";
}

function chosen({ options, isMultiple }: AskQuestion, answer: string): string {
  const parts = isMultiple ? answer.split(",").map((part) => part.trim()) : [answer.trim()];
  const labels = parts.map((part) => labelOf(options, part));
  return labels.includes(undefined) ? answer : labels.join(", ");
}

function labelOf(options: AskQuestion["options"], part: string): string | undefined {
  const named = options.find(({ label }) => label.toLowerCase() === part.toLowerCase());
  return (named ?? (/^\d+$/.test(part) ? options[Number(part) - 1] : undefined))?.label;
}
