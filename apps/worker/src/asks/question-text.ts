import type { AgentAsk } from "@synthesis/protocol";
import { oneLine } from "./one-line.ts";

const MAX_INPUT = 600;

/** An ask as it stands in an answer. What the agent wrote is quoted in single lines, so that it cannot pass for ours. */
export function questionText(ask: AgentAsk, isInChat: boolean): string {
  return [what(ask), ...details(ask).map((line) => `> ${line}`), "", ways(ask, isInChat)].join("\n");
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

function details({ kind, title, input, questions = [] }: AgentAsk): string[] {
  if (kind === "permission" || kind === "plan") return [oneLine(title, 300), oneLine(input, MAX_INPUT)];
  const asked = questions.flatMap(({ question, options, isMultiple }) => [
    oneLine(question, MAX_INPUT) + (isMultiple ? " (several may be chosen)" : ""),
    ...options.map(({ label, description = "" }, index) => {
      const more = description === "" ? "" : `: ${description}`;
      return oneLine(`${index + 1}. ${label}${more}`, 300);
    }),
  ]);
  return kind === "input" ? [oneLine(title, MAX_INPUT), ...asked] : asked;
}

function ways({ id, kind, always, askedAt, deadlineAt }: AgentAsk, isInChat: boolean): string {
  const within = `within ${duration(deadlineAt - askedAt)}`;
  const elsewhere = `(Elsewhere: \`synthesis asks\`, ask ${id}.)`;
  if (kind === "question" || kind === "input")
    return `Answer ${within}, or say \`no\`; after that it goes on without an answer. ${elsewhere}`;
  const offered =
    always.length === 0 ? "" : `, \`always\` (${always.map((rule) => oneLine(rule, 200)).join("; ")})`;
  const other = isInChat ? " Anything else denies it, and is your next message." : "";
  return `Answer \`yes\`${offered} or \`no\` with a reason ${within}; after that it is denied.${other} ${elsewhere}`;
}

function duration(ms: number): string {
  const [count, unit] = ms < 120_000 ? [ms / 1_000, "second"] : [ms / 60_000, "minute"];
  const whole = Math.round(count);
  return `${whole} ${unit}${whole === 1 ? "" : "s"}`;
}
