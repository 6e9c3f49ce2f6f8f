import { oneLine } from "@synthesis/kit";
import type { AskQuestion, AskVerdict } from "@synthesis/protocol";
import * as z from "zod";
import { answersOf } from "../../asks/answers-of.ts";
import { isAskable } from "../claude/askable.ts";
import type { ClaudeAsk } from "./claude-ask.ts";

/** MCP allows primitive properties only. */
const Property = z.looseObject({
  type: z.string().optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.string()).optional(),
});
type Property = z.infer<typeof Property>;

const Elicitation = z.looseObject({
  subtype: z.literal("elicitation"),
  mcp_server_name: z.string(),
  message: z.string(),
  /** url: the person is to open a page; absent: form. */
  mode: z.string().optional(),
  url: z.string().optional(),
  requested_schema: z.looseObject({ properties: z.record(z.string(), Property).optional() }).optional(),
});

const YES = "Yes";

interface Field {
  readonly name: string;
  readonly property: Property;
  readonly question: AskQuestion;
}

/**
 * What the server of a tool wants to know, when Claude hands that on; a field is a question. Undefined: it is no such
 * thing, or more than can be asked.
 */
export function elicitedAsk(request: unknown): ClaudeAsk | undefined {
  const asked = Elicitation.safeParse(request).data;
  if (asked === undefined) return undefined;
  const { mcp_server_name: tool, message, url, requested_schema: schema } = asked;
  const fields = Object.entries(schema?.properties ?? {}).map(([name, property]) => fieldOf(name, property));
  const page = url === undefined ? "" : ` (${url})`;
  const input = { message, ...(url === undefined ? {} : { url }) };
  const common = { tool, title: oneLine(`${tool}: ${message}${page}`, 400), input, always: [] };
  const questions = fields.map(({ question }) => question);
  if (!isAskable(questions, asked)) return undefined;
  // Without a field it is only to be agreed to.
  const kind = fields.length === 0 ? "permission" : "input";
  return {
    request: { ...common, kind, ...(fields.length === 0 ? {} : { questions }) },
    rules: [],
    answer: (verdict) => {
      if (verdict.behavior === "deny") return { action: "decline" };
      return { action: "accept", content: contentOf(fields, questions, verdict) };
    },
  };
}

function fieldOf(name: string, property: Property): Field {
  const { title, description, enum: values } = property;
  const more = description ?? title;
  const labels = property.type === "boolean" ? [YES, "No"] : (values ?? []);
  const question = more === undefined ? name : `${name}: ${more}`;
  return {
    name,
    property,
    question: {
      question,
      options: labels.map((label) => ({ label })),
      isMultiple: false,
      ...takenBy(property),
    },
  };
}

function takenBy({ type, enum: values }: Property): Pick<AskQuestion, "takes"> {
  if (type === "boolean" || values !== undefined) return { takes: "option" };
  return type === "number" || type === "integer" ? { takes: type } : {};
}

function contentOf(fields: readonly Field[], questions: readonly AskQuestion[], verdict: AskVerdict): object {
  const answers = answersOf(questions, verdict);
  const pairs = fields.flatMap(({ name, property, question: { question } }) => {
    const answer = Object.hasOwn(answers, question) ? answers[question] : undefined;
    return answer === undefined ? [] : [[name, valueOf(property, answer)]];
  });
  return Object.fromEntries(pairs);
}

/** The server checks it against its schema. */
function valueOf({ type }: Property, answer: string): unknown {
  if (type === "boolean") return answer === YES;
  return type === "number" || type === "integer" ? Number(answer) : answer;
}
