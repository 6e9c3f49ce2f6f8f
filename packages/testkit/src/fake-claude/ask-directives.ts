import { setTimeout as pause } from "node:timers/promises";
import type { Directive } from "./directive.ts";
import type { ControlBody } from "./fake-host.ts";
import type { TurnOutput } from "./turn-output.ts";

type MayUse = Parameters<Directive>[0]["mayUse"];
let calls = 0;

/** The directives that ask for a permission. Their argument is `TOOL`, or `TOOL {…}` with its input. */
export const askDirectives: Readonly<Record<string, Directive>> = {
  ask: async ({ output, argument, mayUse }) => {
    const said = await askFor(output, argument, mayUse, output.signal);
    await output.message(said);
  },
  "ask-twice": async ({ output, argument, mayUse }) => {
    await output.message(await askFor(output, argument, mayUse, output.signal));
    await output.message(await askFor(output, argument, mayUse, output.signal));
  },
  "ask-both": async ({ output, argument, mayUse }) => {
    await output.message(await askFor(output, argument, mayUse, output.signal, 2));
  },
  "ask-slow": async ({ output, argument, mayUse }) => {
    const said = await askFor(output, argument, mayUse, output.signal);
    for (let index = 1; index <= 10; index++) {
      await pause(50, undefined, { signal: output.signal });
      await output.message(`${said} ${index}`);
    }
  },
  "ask-late": async ({ output, argument, mayUse }) => {
    await sayAndPause(output);
    await output.message(await askFor(output, argument, mayUse, output.signal));
  },
  "ask-beside": async ({ output, argument, mayUse, takeUp }) => {
    await sayAndPause(output);
    const meanwhile: string[] = [];
    const mayUseBeside: MayUse =
      mayUse &&
      ((signal, request) => {
        const asked = mayUse(signal, request);
        meanwhile.push(...takeUp());
        return asked;
      });
    const said = await askFor(output, argument, mayUseBeside, output.signal);
    await output.message([said, ...meanwhile].join(", and to: "));
  },
  "ask-withdrawn": async ({ output, argument, mayUse }) => {
    const withdrawn = AbortSignal.any([output.signal, AbortSignal.timeout(200)]);
    await askFor(output, argument, mayUse, withdrawn).catch(() => output.signal.throwIfAborted());
    await output.message("withdrawn");
  },
  "ask-crash-once": async ({ output, argument, mayUse }) => {
    if (output.isResumed) return output.message("before it");
    await askFor(output, argument, mayUse, output.signal);
    process.kill(process.pid, "SIGKILL");
  },
  "ask-die": async ({ output, argument, mayUse }) => {
    setTimeout(() => process.kill(process.pid, "SIGKILL"), 200);
    await askFor(output, argument, mayUse, output.signal);
  },
};

async function sayAndPause(output: TurnOutput): Promise<void> {
  output.startMessage();
  await output.say("wait for it");
  output.endMessage("tool_use");
  await pause(400, undefined, { signal: output.signal });
}

/** Makes so many calls of the tool in one message; returns what came of them, in words. */
async function askFor(
  output: TurnOutput,
  argument: string,
  mayUse: MayUse,
  signal: AbortSignal,
  count = 1,
): Promise<string> {
  const [, name = "Bash", json = ""] = /^(\S+)\s*(.*)$/.exec(argument) ?? [];
  const input: object = json === "" ? { command: "touch x" } : JSON.parse(json);
  const made = Array.from({ length: count }, () => ({ type: "tool_use", id: newId(), name, input }));
  output.startMessage();
  await output.say("before it");
  output.endMessage("tool_use", made);
  const said = await Promise.all(
    made.map(async ({ id }) => saidOf(await mayUse?.(signal, requestOf(id, name, input)))),
  );
  if (mayUse === undefined) output.line({ type: "system", subtype: "permission_denied", tool_name: name });
  output.user(
    made.map(({ id }, index) => ({ type: "tool_result", tool_use_id: id, content: said[index] ?? "" })),
  );
  output.line({ type: "system", subtype: "status", status: "requesting", user_message_uuids: output.uuids });
  return said.join(" and ");
}

function newId(): string {
  return `toolu_fake_ask_${process.pid}_${++calls}`;
}

/** As the real one, which suggests a rule for a command and another mode for a file. */
function requestOf(tool_use_id: string, tool_name: string, input: object): ControlBody {
  const permission_suggestions = tool_name === "Bash" ? [ruleFor(tool_name), AS_EDITOR] : [AS_EDITOR];
  const call = { tool_name, display_name: tool_name, input, permission_suggestions, tool_use_id };
  return { subtype: "can_use_tool", ...call };
}

const AS_EDITOR = { type: "setMode", mode: "acceptEdits", destination: "session" };

function ruleFor(toolName: string): object {
  const rules = [{ toolName, ruleContent: "touch:*" }];
  return { type: "addRules", rules, behavior: "allow", destination: "localSettings" };
}

function saidOf(answer: ControlBody = { behavior: "deny", message: "nobody to ask" }): string {
  if (answer["behavior"] !== "allow") return `denied: ${String(answer["message"])}`;
  const { updatedInput, updatedPermissions } = answer;
  return `allowed: ${JSON.stringify({ updatedInput, updatedPermissions })}`;
}
