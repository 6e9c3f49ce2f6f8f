import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A line of a transcript, as far as this reads it. */
interface Line {
  readonly promptSource?: string;
  readonly message?: {
    readonly content: string | readonly { readonly type: string; readonly content?: string }[];
  };
}

/** What testkit's fake Claude Code was told, by its transcripts below `configFolder`. */
export async function toldToAgents(configFolder: string): Promise<{
  readonly prompts: readonly string[];
  /** The commands that it was allowed to run. */
  readonly allowed: readonly string[];
}> {
  const projects = join(configFolder, "projects");
  const names = (await readdir(projects, { recursive: true })).filter((name) => name.endsWith(".jsonl"));
  const files = await Promise.all(names.map((name) => readFile(join(projects, name), "utf8")));
  const lines = files.flatMap((file) => file.split("\n")).flatMap(lineOf);
  return { prompts: lines.flatMap(promptOf), allowed: lines.flatMap(allowedBy) };
}

function lineOf(text: string): readonly Line[] {
  try {
    return [JSON.parse(text) as Line];
  } catch {
    return []; // the end of the file, or the half line of a process that was killed
  }
}

function promptOf({ promptSource, message }: Line): readonly string[] {
  return promptSource !== undefined && typeof message?.content === "string" ? [message.content] : [];
}

function allowedBy({ message }: Line): readonly string[] {
  if (message === undefined || typeof message.content === "string") return [];
  return message.content.flatMap(({ type, content = "" }) => {
    const [, command] = /^allowed: .*"command":"([^"]+)"/.exec(content) ?? [];
    return type === "tool_result" && command !== undefined ? [command] : [];
  });
}
