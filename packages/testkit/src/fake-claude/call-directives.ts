import type { FunctionCall } from "./client-functions.ts";
import type { Directive } from "./directive.ts";
import type { TurnOutcome } from "./result-line.ts";

const completed = { subtype: "success", isError: false } as const;
let calls = 0;

/** The directives that call a function of the client's, or hand in an answer that meets a schema. */
export const callDirectives: Readonly<Record<string, Directive>> = {
  call: async ({ output, argument, functions }) => {
    const made = argument.split(" & ").map(callOf);
    output.startMessage();
    await output.say("calling");
    output.endMessage("tool_use", made.map(toolBlock));
    const answers: object[] = [];
    for (const call of made) {
      const decision = await functions.decide(call);
      if (decision === "defer") continue;
      const content = decision === "deny" ? "denied" : `No such tool available: ${call.name}`;
      answers.push({ type: "tool_result", tool_use_id: call.id, content, is_error: true });
    }
    output.signal.throwIfAborted();
    if (answers.length < made.length) return deferred(made.at(-1));
    output.user(answers);
    return output.message("without it");
  },
  answer: async ({ output, argument }) => {
    const call = { id: newId(), name: "StructuredOutput", input: JSON.parse(argument) };
    output.startMessage();
    await output.say("handing in");
    output.endMessage("tool_use", [toolBlock(call)]);
    const content = "Structured output provided successfully";
    output.user([{ type: "tool_result", tool_use_id: call.id, content }]);
    const structuredOutput = call.input;
    const common = { ...completed, terminalReason: "completed", stopReason: "tool_use" };
    return { ...common, text: JSON.stringify(structuredOutput), structuredOutput };
  },
};

function deferred(deferredCall: FunctionCall | undefined): TurnOutcome {
  const reason = "tool_deferred";
  return { ...completed, terminalReason: reason, stopReason: reason, text: "", deferredCall };
}

/** `NAME`, or `NAME {…}` with its arguments. */
function callOf(text: string): FunctionCall {
  const [, name = "", json = ""] = /^\s*(\S+)\s*(.*)$/.exec(text) ?? [];
  return { id: newId(), name: `mcp__synthesis_client__${name}`, input: json === "" ? {} : JSON.parse(json) };
}

function toolBlock({ id, name, input }: FunctionCall) {
  return { type: "tool_use", id, name, input };
}

function newId(): string {
  return `toolu_fake_${process.pid}_${++calls}`;
}
