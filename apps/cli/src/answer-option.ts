import { WireFailure, type AskQuestion } from "@synthesis/protocol";

/** Reads answers of the form `QUESTION=LABEL`; a question may be named by its header. Throws `invalid_request`. */
export function readAnswers(
  given: readonly string[],
  questions: readonly AskQuestion[] = [],
): Record<string, string> {
  return Object.fromEntries(given.map((text) => readAnswer(text, questions)));
}

function readAnswer(text: string, questions: readonly AskQuestion[]): [string, string] {
  for (const { question, header } of questions) {
    const name = [question, header].find((each) => each !== undefined && text.startsWith(`${each}=`));
    if (name !== undefined) return [question, text.slice(name.length + 1)];
  }
  const asked = questions.map(({ question }) => `"${question}"`).join(", ");
  const what = asked === "" ? "it asks no question: use --message" : `it asks ${asked}`;
  throw new WireFailure("invalid_request", `--answer "${text}" answers no question of the ask: ${what}`);
}
