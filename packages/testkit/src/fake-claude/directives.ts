import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { apiError, apiErrorText, usageLimit } from "./api-error.ts";
import { askDirectives } from "./ask-directives.ts";
import { callDirectives } from "./call-directives.ts";
import { crashDirectives } from "./crash-directives.ts";
import { forever, type Directive } from "./directive.ts";
import { callTool, endTool } from "./tool-call.ts";
import type { TurnOutput } from "./turn-output.ts";
import { writeRaw } from "./write-line.ts";

export type { Directive } from "./directive.ts";

/** By name; the table for people is in `bin/fake-claude.ts`. */
export const directives: Readonly<Record<string, Directive>> = {
  ...crashDirectives,
  ...callDirectives,
  ...askDirectives,
  hang: async ({ ignoreInterrupts }) => {
    ignoreInterrupts();
    await forever();
  },
  "hang-stubborn": async ({ ignoreInterrupts }) => {
    ignoreInterrupts();
    process.removeAllListeners("SIGTERM").on("SIGTERM", () => {});
    await forever();
  },
  silent: ({ output }) => forever(output.signal),
  garbage: async ({ answer }) => {
    writeRaw("this line is no JSON {\n");
    await answer();
  },
  huge: async ({ output, argument }) => {
    output.startMessage();
    output.delta("x".repeat(Number(argument)));
    output.endMessage();
  },
  diverge: ({ output }) => restart(output, "one two FOUR"),
  restream: ({ output }) => restart(output, "one two three four"),
  fallback: async ({ output }) => {
    output.startMessage();
    await output.say("one two");
    output.abandonMessage();
    output.wholeMessage("one two three four");
  },
  error: async ({ output, argument }) => {
    const [status = "500", ...message] = argument.split(" ");
    return apiError(output, Number(status), message.join(" "));
  },
  retry: async ({ output, argument, answer }) => {
    const [status = 529, retry_delay_ms = 500] = argument.split(" ").filter(Boolean).map(Number);
    const error = apiErrorText(status).error;
    const attempt = { attempt: 1, max_retries: 10, retry_delay_ms };
    output.line({ type: "system", subtype: "api_retry", ...attempt, error_status: status, error });
    await answer();
  },
  limit: async ({ output, argument }) =>
    usageLimit(output, Math.floor(Date.now() / 1000) + Number(argument || 3600)),
  tool: async ({ output, argument, takeUp }) => {
    const id = await callTool(output);
    const progress = { tool_name: "Bash", elapsed_time_seconds: 1, heartbeat: true };
    output.line({ type: "tool_progress", tool_use_id: id, ...progress });
    if (Number(argument) > 0) await pause(Number(argument), undefined, { signal: output.signal });
    await endTool(output, id, takeUp);
  },
  "tool-hang": async ({ output }) => {
    await callTool(output);
    await forever(output.signal);
  },
  stall: async ({ output }) => {
    output.startMessage();
    output.delta("one");
    await forever(output.signal);
  },
  compact: async ({ output, answer }) => {
    output.line({ type: "system", subtype: "status", status: "compacting", compact_output_chars: 0 });
    output.line({ type: "system", subtype: "status", status: null, compact_result: "success" });
    output.line({ type: "system", subtype: "compact_boundary", compact_metadata: { trigger: "auto" } });
    output.line({ type: "result", subtype: "success", is_error: false, result: "a summary" });
    await answer();
  },
  slow: async ({ output, argument }) => {
    const [count = 1, everyMs = 0] = argument.split(" ").map(Number);
    output.startMessage();
    for (let index = 1; index <= count; index++) {
      await pause(everyMs, undefined, { signal: output.signal });
      output.delta(`${index === 1 ? "" : " "}w${index}`);
    }
    output.endMessage();
  },
  spawn: async ({ output }) => {
    // `detached` is setsid, as Claude's own Bash children have it.
    const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
    child.unref();
    await output.message(String(child.pid));
  },
  env: ({ output }) => {
    const names = Object.keys(process.env).sort();
    const values = Object.fromEntries(
      names.filter((name) => name.startsWith("SYNTHESIS_")).map((name) => [name, process.env[name]]),
    );
    return output.message(JSON.stringify({ names, values }));
  },
  cwd: ({ output }) => output.message(process.cwd()),
  argv: ({ output }) => output.message(JSON.stringify(process.argv.slice(2))),
  functions: ({ output, functions }) => output.message(JSON.stringify(functions.names)),
  settings: ({ output, settings }) => output.message(settings()),
  pid: ({ output }) => output.message(String(process.pid)),
};

/** The first known directive of a prompt, at its start or after white space. */
export function findDirective(
  prompt: string,
): { readonly name: string; readonly argument: string } | undefined {
  for (const [, name = "", argument = ""] of prompt.matchAll(/(?<!\S)!([a-z-]+)(?:[^\S\n]+([^\n]*))?/g)) {
    if (name === "foreign-result" || Object.hasOwn(directives, name))
      return { name, argument: argument.trim() };
  }
  return undefined;
}

async function restart(output: TurnOutput, text: string): Promise<void> {
  output.startMessage();
  await output.say("one two three");
  output.abandonMessage();
  await output.message(text);
}
