import { inputLines, oneLine } from "@synthesis/kit";
import type { AgentAsk, AskQuestion, AskWay } from "@synthesis/protocol";
import type { OpenAsk } from "./open-ask.ts";
import { codeSpan, quotedCode, type ShownBounds } from "./quoted-code.ts";

const INPUT: ShownBounds = { characters: 4_096, lines: 200 };
const PLAN: ShownBounds = { characters: 16_384, lines: 1_000 };
const MAX_TITLE = 400;

/**
 * What the chat's next message is for an ask. verdict: that, where it is one. decides: that, and where it is none, a
 * denial. nothing: it is answered elsewhere.
 */
export type NextMessage = "verdict" | "decides" | "nothing";

/**
 * An ask as it stands in an answer. What the agent wrote is quoted, in code or in single lines, so that it cannot pass for
 * ours; of what is too long to be shown whole, it says how much is left out, and where that stands.
 */
export function questionText(
  { info, input }: Pick<OpenAsk, "info" | "input">,
  ways: readonly AskWay[],
  next: NextMessage,
): string {
  const { kind, title, questions = [] } = info;
  const leftOut = (characters: number) =>
    `… ${characters} characters are left out here: all of it by \`synthesis asks show ${info.id}\`, or over the API …`;
  const code = () => quotedCode(inputLines(input), kind === "plan" ? PLAN : INPUT, leftOut);
  const lines = {
    permission: () => [`> ${codeSpan(oneLine(title, MAX_TITLE))}`, ...code()],
    plan: code,
    question: () => quoted(questions),
    input: () => [
      `> ${oneLine(title, MAX_TITLE)}`,
      ...(title.endsWith("…") ? code() : []),
      ...quoted(questions),
    ],
  }[kind]();
  return [what(info), ...lines, "", how(info, ways, next)].join("\n");
}

function what({ agent, kind, tool }: AgentAsk): string {
  switch (kind) {
    case "permission":
      return `**${agent} asks: may it use ${oneLine(tool, 64)}?**`;
    case "plan":
      return `**${agent} asks: shall it go on with its plan?**`;
    case "question":
    case "input":
      return `**${agent} asks:**`;
  }
}

function quoted(questions: readonly AskQuestion[]): string[] {
  return questions.flatMap(({ question, options, isMultiple, takes }) => [
    `> ${oneLine(question)}${isMultiple ? " (several may be chosen)" : ""}${isNumber(takes) ? " (a number)" : ""}`,
    ...options.map(({ label, description = "" }, index) => {
      const more = description === "" ? "" : `: ${description}`;
      return `> ${oneLine(`${index + 1}. ${label}${more}`)}`;
    }),
  ]);
}

function isNumber(takes: AskQuestion["takes"]): boolean {
  return takes === "number" || takes === "integer";
}

/** Where `no` is an answer, the other word for it declines. */
function refusalWord(questions: readonly AskQuestion[]): string {
  const isAnswer = questions.some(({ options }) => options.some(({ label }) => label.toLowerCase() === "no"));
  return isAnswer ? "deny" : "no";
}

function how(ask: AgentAsk, ways: readonly AskWay[], next: NextMessage): string {
  const { id, kind, always, questions = [], askedAt, toldAt = askedAt, deadlineAt } = ask;
  const isAnswered = kind === "question" || kind === "input";
  const within = `within ${duration(deadlineAt - toldAt)}`;
  const after = isAnswered ? "after that it goes on without an answer." : "after that it is denied.";
  const place = `${ways.includes("cli") ? "`synthesis asks`" : "the API"}, ask ${id}`;
  if (next === "nothing") return `Answer ${within}, not here but elsewhere (${place}); ${after}`;
  const elsewhere = ways.some((way) => way !== "chat") ? ` (Elsewhere: ${place}.)` : "";
  const each = questions.length > 1 ? ", with one line for each question" : "";
  if (isAnswered)
    return `Answer ${within}${each}, or say \`${refusalWord(questions)}\`; ${after}${elsewhere}`;
  const offered =
    always.length === 0 ? "" : `, \`always\` (${always.map((rule) => oneLine(rule, 200)).join("; ")})`;
  const other = next === "decides" ? " Anything else denies it, and is your next message." : "";
  return `Answer \`yes\`${offered} or \`no\` with a reason ${within}; ${after}${other}${elsewhere}`;
}

function duration(ms: number): string {
  const [count, unit] = ms < 120_000 ? [ms / 1_000, "second"] : [ms / 60_000, "minute"];
  const whole = Math.round(count);
  return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}
