import { locate } from "@synthesis/config";
import { inputLines, jsonOf, oneLine } from "@synthesis/kit";
import type { AgentAsk, AskVerdict } from "@synthesis/protocol";
import { readAnswers } from "../answer-option.ts";
import { ControlClient } from "../control-client.ts";
import { duration } from "../duration.ts";
import { InstanceAsks } from "../instance-asks.ts";
import { instanceWorkers } from "../instance-workers.ts";
import { table } from "../table.ts";
import * as z from "zod";
import type { VerdictOptions, WorkspaceOptions } from "./command-options.ts";

const Input = z.record(z.string(), z.unknown());

/** `synthesis asks`: the open asks, the oldest first. A workspace that does not answer makes the exit code 1. */
export async function listAsks(options: WorkspaceOptions): Promise<void> {
  const { asks, silent } = await asksOf(options).list();
  const rows = asks.map(({ workspace, ask }) => [
    ask.id,
    workspace,
    ask.agent,
    ask.session,
    oneLine(ask.tool),
    timeLeft(ask),
    oneLine(ask.title),
  ]);
  const heads = ["ASK", "WORKSPACE", "AGENT", "SESSION", "TOOL", "LEFT", "TITLE"];
  if (rows.length > 0) console.log(table(heads, rows));
  else if (silent.length === 0) console.log("No agent that is at work asks anything.");
  for (const { workspace, message } of silent) process.stderr.write(`${workspace}: ${message}\n`);
  if (silent.length > 0) process.exitCode = 1;
}

/** `synthesis asks show ID`: one open ask, with all that is known of it. */
export async function showAsk(id: string, options: WorkspaceOptions): Promise<void> {
  const { workspace, ask } = await asksOf(options).find(id);
  const facts = [
    ["ask", ask.id],
    ["workspace", workspace],
    ["agent", ask.agent],
    ["session", ask.session],
    ["turn", ask.turn],
    ["kind", ask.kind],
    ["tool", oneLine(ask.tool)],
    ["title", oneLine(ask.title)],
    ...inputOf(ask),
    ...ask.always.map((rule) => ["always", oneLine(rule)]),
    ...(ask.questions ?? []).flatMap(({ question, options: choices }) => [
      ["question", oneLine(question)],
      ...choices.map(({ label, description }) => [
        "  option",
        oneLine([label, description].filter(Boolean).join(": ")),
      ]),
    ]),
    ["left", timeLeft(ask)],
  ];
  for (const [name = "", value = ""] of facts) console.log(`${name.padEnd(11)}${value}`);
}

/** All of it; of another form, as it came. */
function inputOf({ input }: AgentAsk): string[][] {
  const { success, data } = Input.safeParse(jsonOf(input));
  const lines = success ? inputLines(data) : [oneLine(input)];
  return lines.map((line, index) => [index === 0 ? "input" : "", line]);
}

/** `synthesis asks allow|always|deny ID`: settles an ask. One that has its verdict is an error that says which. */
export function settleAsk(behavior: AskVerdict["behavior"]) {
  return async (id: string, options: VerdictOptions): Promise<void> => {
    const { workspace, client, ask } = await asksOf(options).find(id);
    const { message, answer = [] } = options;
    const settlement = await client.answerAsk(ask.id, {
      behavior,
      ...(message === undefined ? {} : { message }),
      ...(answer.length === 0 ? {} : { answers: readAnswers(answer, ask.questions) }),
      by: "cli",
    });
    const instead = settlement.behavior === behavior ? "" : ` (${behavior} is not offered for it)`;
    console.log(`${workspace}: ${settlement.behavior} ${ask.id}${instead}`);
  };
}

function asksOf({ workspace, ...locations }: WorkspaceOptions): InstanceAsks {
  return new InstanceAsks(instanceWorkers(new ControlClient(locate(locations)), workspace));
}

function timeLeft({ deadlineAt }: AgentAsk): string {
  return duration(deadlineAt - Date.now());
}
