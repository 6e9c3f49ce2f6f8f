import { readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { WorkerConfiguration } from "../../worker-configuration.ts";
import { claudeProcessEnvironment } from "./claude-process-environment.ts";
import { transcriptLines } from "./transcript-line.ts";

/** Where Claude Code keeps its sessions, and whose they should be. */
export type TranscriptPlace = Pick<WorkerConfiguration, "path" | "claude">;

/** missing: nothing of it is on disk. foreign: it is of another folder than this workspace's. */
export type TranscriptState = "missing" | "foreign" | "present";

/**
 * Whether Claude's transcript of a session is there, and of this workspace: by the folder recorded in it.
 * Reads its beginning only.
 */
export async function checkTranscript(place: TranscriptPlace, sessionId: string): Promise<TranscriptState> {
  return (await locate(place, sessionId)).state;
}

/** The file of a session of this workspace; undefined where {@link checkTranscript} says that there is none. */
export async function transcriptFile(place: TranscriptPlace, sessionId: string): Promise<string | undefined> {
  const found = await locate(place, sessionId);
  return found.state === "present" ? found.file : undefined;
}

type Located =
  | { readonly state: "missing" | "foreign" }
  | { readonly state: "present"; readonly file: string };

/**
 * Looks into every project folder, as Claude does: it resumes a session from wherever it was begun
 * (`$CLAUDE_CONFIG_DIR/projects/<folder>/<session>.jsonl`, measured with Claude Code 2.1.330).
 */
async function locate(place: TranscriptPlace, sessionId: string): Promise<Located> {
  const projects = join(configDir(place), "projects");
  const workspace = await realpath(place.path);
  let state: "missing" | "foreign" = "missing";
  for (const folder of await foldersOf(projects)) {
    const file = join(projects, folder, `${sessionId}.jsonl`);
    if (!(await isFile(file))) continue;
    const recorded = await recordedFolder(file);
    if (recorded === workspace) return { state: "present", file };
    if (recorded !== undefined) state = "foreign"; // without one it holds no message: nothing to resume
  }
  return { state };
}

function configDir(place: TranscriptPlace): string {
  const { CLAUDE_CONFIG_DIR, HOME } = claudeProcessEnvironment(place);
  return CLAUDE_CONFIG_DIR ?? join(HOME ?? homedir(), ".claude");
}

async function foldersOf(projects: string): Promise<string[]> {
  try {
    return await readdir(projects);
  } catch (error) {
    if (isAbsent(error)) return []; // Claude was never run here
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** The folder that the session was begun in. */
async function recordedFolder(file: string): Promise<string | undefined> {
  for await (const { cwd } of transcriptLines(file)) if (cwd !== undefined) return cwd;
  return undefined;
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
