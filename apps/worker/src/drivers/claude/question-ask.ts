import { oneLine } from "@synthesis/kit";
import type { AskQuestion, AskVerdict } from "@synthesis/protocol";
import * as z from "zod";
import { answersOf } from "../../asks/answers-of.ts";
import type { AskRequest } from "../../asks/ask-request.ts";
import { isAskable } from "./askable.ts";

const MAX_TITLE = 200;

/** The input of Claude's tool `AskUserQuestion`. */
const Questions = z.looseObject({
  questions: z
    .array(
      z.looseObject({
        question: z.string(),
        header: z.string().optional(),
        options: z.array(z.looseObject({ label: z.string(), description: z.string().optional() })),
        multiSelect: z.boolean().optional(),
      }),
    )
    .min(1),
});

/** A call of the tool by which Claude asks its user something; undefined where it is no such call, or more than can be asked. */
export function questionAsk(tool: string, input: AskRequest["input"]): AskRequest | undefined {
  const asked = tool === "AskUserQuestion" ? Questions.safeParse(input).data : undefined;
  if (asked === undefined) return undefined;
  const questions = asked.questions.map(
    ({ question, header, options, multiSelect = false }): AskQuestion => ({
      question,
      ...(header === undefined ? {} : { header }),
      options: options.map(({ label, description }) => ({
        label,
        ...(description === undefined ? {} : { description }),
      })),
      isMultiple: multiSelect,
    }),
  );
  if (!isAskable(questions, input)) return undefined;
  const title = oneLine(questions.map(({ question }) => question).join(" "), MAX_TITLE);
  return { kind: "question", tool, title, input, always: [], questions };
}

/** The input of that call with the answers, as Claude takes them. */
export function answeredInput(
  { input, questions = [] }: AskRequest,
  verdict: AskVerdict,
): Record<string, unknown> {
  return { ...input, answers: answersOf(questions, verdict) };
}
