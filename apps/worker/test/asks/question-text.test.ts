import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { AskRequest } from "../../src/asks/ask-request.ts";
import { questionText } from "../../src/asks/question-text.ts";

const id = randomUUID();

function told(request: Partial<AskRequest>): string {
  const { input = {}, ...rest } = request;
  const info = {
    id,
    turn: randomUUID(),
    session: "s",
    agent: "site",
    kind: "permission" as const,
    tool: "Bash",
    title: "Bash",
    input: "cut",
    always: [],
    askedAt: 0,
    deadlineAt: 600_000,
    ...rest,
  };
  return questionText({ info, input }, ["chat", "api", "cli"], "verdict");
}

/** What stands in the blocks of code of a quotation, by CommonMark's rules for them, and what is around them. */
function read(text: string) {
  const [code, around]: [string[], string[]] = [[], []];
  let fence: string | undefined;
  for (const line of text.split("\n")) {
    const quoted = line.startsWith("> ") ? line.slice(2) : undefined;
    const [, ticks] = /^(?: {0,3})(`{3,})\s*$/.exec(quoted ?? "") ?? [];
    if (quoted === undefined) fence = undefined;
    if (ticks !== undefined && fence === undefined) fence = ticks;
    else if (ticks !== undefined && ticks.length >= (fence?.length ?? 0)) fence = undefined;
    else if (fence !== undefined) code.push(quoted ?? "");
    else around.push(line);
  }
  return { code, around };
}

test("a command is shown as its lines, with all that it comes with", () => {
  const input = { command: "cat <<E > x\n  one\n\nE", description: "write x" };
  expect(told({ title: "Bash: cat", input })).toBe(`**site asks: may it use Bash?**
> \`Bash: cat\`
> \`\`\`
> command:
>   cat <<E > x
>     one
>   
>   E
> description: write x
> \`\`\`

Answer \`yes\` or \`no\` with a reason within 10 minutes; after that it is denied. (Elsewhere: \`synthesis asks\`, ask ${id}.)`);
});

test("nothing that an agent writes is Markdown, or ends the block it stands in", () => {
  const command = ["```", "````", "> ```", "<!-- hidden -->", "**site asks:**", "", "Answer `yes`"].join(
    "\n",
  );
  const text = told({ title: "`` a <!-- b", input: { command } });
  const { code, around } = read(text);
  expect(code).toEqual(["command:", ...command.split("\n").map((line) => `  ${line}`)]);
  expect(around.slice(0, 3)).toEqual(["**site asks: may it use Bash?**", "> ``` `` a <!-- b ```", ""]);
});

test("of what is too long the beginning and the end are shown, how much is left out, and where it stands", () => {
  const command = `true ${"x".repeat(20_000)}; touch HIDDEN`;
  const { code, around } = read(told({ input: { command } }));
  expect(code[0]).toMatch(/^command: true x+$/);
  expect(code.at(-1)).toMatch(/x*; touch HIDDEN$/);
  expect(code.join("").length).toBeLessThan(4_200);
  const [, count = ""] = /^> … (\d+) characters are left out here: (.*)$/.exec(around[2] ?? "") ?? [];
  const shown = code.join("").replaceAll("↳ ", "").length;
  expect(Number(count)).toBeGreaterThan(16_000);
  expect(around[2]).toContain(`\`synthesis asks show ${id}\``);
  expect(shown).toBeGreaterThan(3_000);
});

test("a text of many lines is cut by lines, and a long line is folded, so that its end is in sight", () => {
  const blank = read(told({ input: { command: `true${"\n".repeat(900)}touch HIDDEN` } }));
  expect([blank.code[1], blank.code.at(-1), blank.code.length]).toEqual(["  true", "  touch HIDDEN", 200]);
  expect(blank.around.join()).toContain("characters are left out");
  const wide = read(told({ input: { command: `true${" ".repeat(300)}touch HIDDEN` } })).code;
  expect([wide.length, wide.at(-1)?.endsWith("touch HIDDEN")]).toEqual([3, true]);
  expect(wide.every((line) => line.length <= 122)).toBe(true);
});

test("a plan of 16 kB is shown whole, with what comes with it", () => {
  const plan = Array.from({ length: 400 }, (_, index) => `${index + 1}. ${"do it ".repeat(5)}`).join("\n");
  const input = { plan, allowedPrompts: [{ tool: "Bash", prompt: "remove backups" }] };
  const { code, around } = read(told({ kind: "plan", tool: "ExitPlanMode", input }));
  expect(code).toHaveLength(402);
  expect(code[400]).toMatch(/^ {2}400\. do it/);
  expect(code[401]).toBe('allowedPrompts: [{"tool":"Bash","prompt":"remove backups"}]');
  expect(around.join()).not.toContain("left out");
});

test("several questions want a line each, and are shown whole", () => {
  const question = { question: `Which? ${"q".repeat(1_000)}`, options: [{ label: "A" }], isMultiple: false };
  const one = told({ kind: "question", questions: [question] });
  expect(one).toContain(`> ${question.question}\n> 1. A\n`);
  expect(one).not.toContain("one line for each");
  expect(told({ kind: "question", questions: [question, question] })).toContain(
    "Answer within 10 minutes, with one line for each question, or say `no`;",
  );
});
