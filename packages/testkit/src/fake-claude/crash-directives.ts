import { forever, type Directive } from "./directive.ts";
import { callTool, endTool } from "./tool-call.ts";
import { flushed, writeRaw } from "./write-line.ts";

/** The directives after which the process is gone. */
export const crashDirectives: Readonly<Record<string, Directive>> = {
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
  "half-line": async () => {
    writeRaw('{"type":"stream_event","event":{"type":"content_blo');
    await flushed();
    process.exit(1);
  },
};

async function crash(): Promise<void> {
  await flushed();
  process.kill(process.pid, "SIGKILL");
  await forever();
}
