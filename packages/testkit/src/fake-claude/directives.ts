import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { apiError, apiErrorText, usageLimit } from "./api-error.ts";
import type { TurnOutcome } from "./result-line.ts";
import type { TurnOutput } from "./turn-output.ts";
import { flushed, writeRaw } from "./write-line.ts";

/** What a directive is run with. */
interface DirectiveContext {
  readonly output: TurnOutput;
  /** What follows the directive's name on its line. */
  readonly argument: string;
  /** Answers as if there were no directive. */
  readonly answer: () => Promise<void>;
  /** From now on neither interrupts nor `end_session` are heard. */
  readonly ignoreInterrupts: () => void;
}

/** Says one turn; returns an outcome where it is not the regular one. */
export type Directive = (context: DirectiveContext) => Promise<TurnOutcome | void>;

/** By name; the table for people is in `bin/fake-claude.ts`. */
export const directives: Readonly<Record<string, Directive>> = {
  exit: async ({ argument }) => {
    await flushed();
    process.exit(Number(argument || 0));
  },
  "crash-mid": async ({ output }) => {
    output.startMessage();
    output.delta("cut");
    output.delta(" short");
    await crash();
  },
  "crash-once": async ({ output }) => {
    output.startMessage();
    await output.say("one two");
    if (!output.isResumed) await crash();
    await output.say(" three");
    output.endMessage();
  },
  "crash-changed": async ({ output }) => {
    if (output.isResumed) return output.message("other words");
    output.startMessage();
    await output.say("one two");
    return crash();
  },
  "crash-tool": async ({ output }) => {
    const id = await callTool(output);
    if (!output.isResumed) await crash();
    await endTool(output, id);
  },
  "crash-after": async ({ answer }) => {
    await answer();
    await crash();
  },
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
  "half-line": async () => {
    writeRaw('{"type":"stream_event","event":{"type":"content_blo');
    await flushed();
    process.exit(1);
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
  tool: async ({ output }) => {
    const id = await callTool(output);
    const progress = { tool_name: "Bash", elapsed_time_seconds: 1, heartbeat: true };
    output.line({ type: "tool_progress", tool_use_id: id, ...progress });
    await endTool(output, id);
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

/**
 * Whether the process dies of this prompt before it says or keeps anything of it: always of `!unread`, of
 * `!unread-once` only the first one in this folder.
 */
export function diesUnread(prompt: string): boolean {
  const found = /(?<!\S)!unread(-once)?(?!\S)/.exec(prompt);
  if (found?.[1] === undefined) return found !== null;
  const marker = join(process.cwd(), ".fake-claude-unread");
  if (existsSync(marker)) return false;
  writeFileSync(marker, "");
  return true;
}

/** A message with a call of Bash; returns the call's id. */
async function callTool(output: TurnOutput): Promise<string> {
  const id = `toolu_fake_${process.pid}`;
  output.startMessage();
  await output.say("before the tool");
  output.endMessage("tool_use", [{ type: "tool_use", id, name: "Bash", input: { command: "true" } }]);
  return id;
}

async function endTool(output: TurnOutput, tool_use_id: string): Promise<void> {
  output.user([{ type: "tool_result", tool_use_id, content: "done" }]);
  output.line({ type: "system", subtype: "status", status: "requesting", user_message_uuids: output.uuids });
  await output.message("after the tool");
}

async function crash(): Promise<void> {
  await flushed();
  process.kill(process.pid, "SIGKILL");
  await forever();
}

async function restart(output: TurnOutput, text: string): Promise<void> {
  output.startMessage();
  await output.say("one two three");
  output.abandonMessage();
  await output.message(text);
}

async function forever(signal?: AbortSignal): Promise<void> {
  // A timer, since a pending promise alone would let the process end.
  await pause(2 ** 31 - 1, undefined, signal === undefined ? {} : { signal });
}
