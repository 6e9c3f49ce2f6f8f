import { readFileSync } from "node:fs";
import { isMap, isScalar, LineCounter, parseDocument, type Document } from "yaml";
import type * as z from "zod";
import { ConfigError } from "./config-error.ts";
import { ConfigFile } from "./schema.ts";

/** Reads and checks `synthesis.config.yaml`. Throws {@link ConfigError} that names file, line and remedy. */
export function readConfigFile(file: string): ConfigFile {
  const text = readText(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => `${at(error.pos[0])}: not YAML: ${error.message}`).join("\n"),
    );
  }
  const parsed = ConfigFile.safeParse(valueOf(document, file) ?? {});
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => `${at(offsetOf(document, issue))}: ${describe(issue)}`).join("\n"),
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError(
      code === "ENOENT"
        ? `${file}: there is no such file: name another with --config, or let "synthesis up" make one by leaving --config out`
        : `${file}: cannot be read (${code ?? String(cause)})`,
      { cause },
    );
  }
}

/** Aliases are resolved only here: one of nothing, or a bomb of them, shows now. */
function valueOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new ConfigError(`${file}: not YAML: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function describe(issue: z.core.$ZodIssue): string {
  const subject = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const where = subject === "" ? "here" : `in ${subject}`;
    return `${issue.keys.map((key) => `"${key}"`).join(", ")} is not a setting ${where}: check the spelling, or remove it`;
  }
  if (issue.code === "invalid_key") return `${subject}: ${issue.issues[0]?.message ?? issue.message}`;
  if (
    issue.code === "invalid_type" &&
    issue.input === undefined &&
    issue.message.endsWith("received undefined")
  ) {
    return `${subject}: is missing: add it (${issue.expected})`;
  }
  if (issue.code === "invalid_union" && subject.endsWith(".driver")) {
    return `${subject}: must be headless, channel or command`;
  }
  return `${subject === "" ? "the file" : subject}: ${issue.message}`;
}

/** Where the unknown key stands, or the issue's value, or its nearest parent that is in the file. */
function offsetOf(document: Document.Parsed, issue: z.core.$ZodIssue): number {
  if (issue.code === "unrecognized_keys") {
    const map = document.getIn(issue.path, true);
    const pair = isMap(map)
      ? map.items.find(({ key }) => isScalar(key) && key.value === issue.keys[0])
      : undefined;
    if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
  }
  for (let length = issue.path.length; length > 0; length--) {
    const node = document.getIn(issue.path.slice(0, length), true);
    const range = isRanged(node) ? node.range : undefined;
    if (range) return range[0];
  }
  return 0;
}

function isRanged(node: unknown): node is { range?: [number, number, number] | null } {
  return typeof node === "object" && node !== null && "range" in node;
}
