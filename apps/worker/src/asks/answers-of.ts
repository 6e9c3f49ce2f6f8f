import type { AskQuestion, AskVerdict } from "@synthesis/protocol";

/**
 * The answers of a verdict by question, as far as there are any: `answers`, or what `message` says, which has one line
 * for each question or one answer to all. An option may be named by its place, from 1, or in other case.
 */
export function answersOf(
  questions: readonly AskQuestion[],
  { message = "", answers }: Pick<AskVerdict, "message" | "answers">,
): Record<string, string> {
  const lines = message.split("\n").filter((line) => line.trim() !== "");
  const said = (index: number) => (lines.length === questions.length ? lines[index] : message)?.trim() ?? "";
  const pairs = questions.map((question, index): [string, string] => {
    const answer = answers === undefined ? said(index) : (answers[question.question] ?? "");
    return [question.question, chosen(question, answer)];
  });
  return Object.fromEntries(pairs.filter(([, answer]) => answer !== ""));
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
