import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { FakeProcess } from "../fake-claude/fake-process.ts";
import { FakeSession } from "../fake-claude/fake-session.ts";
import { FAKE_VERSION } from "../fake-claude/fake-version.ts";
import { launchOptions } from "../fake-claude/launch-options.ts";
import { refusedSessionLine } from "../fake-claude/result-line.ts";
import { flushed, writeLine } from "../fake-claude/write-line.ts";

/**
 * A fake `claude` that speaks stream-json as Claude Code 2.1.330 does, without an API. Its conversations are
 * kept as the real one's transcripts. A prompt says how its turn goes by the first of these words:
 *
 * | prompt             | turn                                                                                    |
 * | ------------------ | --------------------------------------------------------------------------------------- |
 * | any text           | `fake: <text> (turn N of this conversation)` in deltas of a word; where the text has a `/command` or `@path` and came without `client_composed`: `fake: interpreted <text> …` |
 * | `!exit CODE`       | exits at once with CODE (0)                                                             |
 * | `!crash-mid`       | says "cut short" in two deltas, then SIGKILLs itself                                    |
 * | `!crash-once`      | "one two three", SIGKILLed after "one two"; whole when it is resumed                    |
 * | `!crash-changed`   | the same, but "other words" when it is resumed                                          |
 * | `!crash-tool`      | as `!tool`, SIGKILLed while the tool runs; whole when it is resumed                     |
 * | `!crash-after`     | the regular answer, SIGKILLed before its result                                         |
 * | `!unread`          | exits with 1 before it says or keeps anything; `!unread-once`: the first time in its folder |
 * | `!hang`            | accepts the prompt, says nothing, ignores `interrupt` and `end_session`                 |
 * | `!hang-stubborn`   | the same, and ignores SIGTERM                                                           |
 * | `!silent`          | says nothing until it is interrupted                                                    |
 * | `!stall`           | "one", then nothing until it is interrupted                                             |
 * | `!garbage`         | a line that is no JSON, then the regular answer                                         |
 * | `!huge N`          | one delta of N characters, then (like the real one) `assistant` and `result` with it    |
 * | `!half-line`       | the first part of a line, then exits with 1                                             |
 * | `!diverge`         | "one two three", voided, then a new message "one two FOUR"                              |
 * | `!restream`        | "one two three", voided, then a new message "one two three four"                        |
 * | `!fallback`        | "one two", voided, then "one two three four" as `assistant` without deltas              |
 * | `!error STATUS …`  | an API error result; what follows is its message ("prompt is too long" has a reason of its own) |
 * | `!retry STATUS MS` | `api_retry` with that pause (which it does not make), then the regular answer           |
 * | `!limit SECONDS`   | a usage limit that is reached, and ends in SECONDS                                      |
 * | `!tool MS`         | "before the tool", a tool call and, after MS, its result, then a second message "after the tool", which also names what came meanwhile |
 * | `!call F {…}`      | "calling", then a call of the host's function F; `!call F {…} & G {…}`: two. One that is not offered: "without it" |
 * | `!ask T {…}`       | "before it", then asks its host whether it may call tool T (Bash), and says what came of it; without `--permission-prompt-tool stdio` it is denied |
 * | `!ask-twice T {…}` | the same two times; `!ask-both`: two calls in one message; `!ask-slow`: says what came of it ten times, one in 50 ms |
 * | `!ask-late T`      | "wait for it", and the same after 400 ms; `!ask-beside`: takes up what came meanwhile while it asks |
 * | `!ask-withdrawn T` | the same, withdrawn after 200 ms; `!ask-die`: SIGKILLed after 200 ms                    |
 * | `!answer {…}`      | that object as structured output                                                        |
 * | `!functions`       | the names of the host's functions as JSON                                               |
 * | `!settings`        | what `initialize` and `apply_flag_settings` said last, as JSON                          |
 * | `!tool-hang`       | "before the tool", then a tool that runs until it is interrupted                        |
 * | `!compact`         | a compaction, with a result of its own, then the regular answer                         |
 * | `!slow N MS`       | "w1 w2 … wN", a delta every MS milliseconds                                             |
 * | `!foreign-result`  | a result for another uuid, then the regular answer                                      |
 * | `!spawn`           | starts `sleep 300` in a session of its own and answers its pid                          |
 * | `!env`             | `{names, values}`: names of its environment, values of SYNTHESIS_* only                 |
 * | `!cwd` `!argv` `!pid` | its folder; its arguments as JSON; its pid                                           |
 *
 * Environment: `FAKE_CLAUDE_VERSION` replaces the version that `--version` prints. As with the real one, a
 * `--resume` with `CLAUDE_CODE_RESUME_INTERRUPTED_TURN` goes on by itself with a turn that was cut.
 */
const options = launchOptions(process.argv.slice(2));
if (options.version) {
  console.log(`${process.env["FAKE_CLAUDE_VERSION"] ?? FAKE_VERSION} (Claude Code)`);
} else {
  const session = await openSession();
  const model = options.model ?? session.model ?? "claude-fake-1";
  const fake = new FakeProcess(session, { ...options, model });
  process.on("SIGTERM", () => process.exit(143));
  process.on("SIGINT", () => void fake.abort(0));
  if (options.resume !== undefined && process.env["CLAUDE_CODE_RESUME_INTERRUPTED_TURN"] === "1")
    fake.resumeCutTurn();
  // The real one goes on when nobody reads.
  process.stdout.on("error", () => {});
  createInterface({ input: process.stdin })
    .on("line", (line) => void fake.accept(line))
    .on("close", () => void fake.end());
}

async function openSession(): Promise<FakeSession> {
  const { resume, resumeAt, forkSession, sessionId, noPersistence } = options;
  if (resume !== undefined && resumeAt !== undefined) {
    const id = forkSession ? (sessionId ?? randomUUID()) : resume;
    const session = FakeSession.branch(resume, resumeAt, id);
    if (session !== undefined) return session;
    const error = `No message found with message.uuid of: ${resumeAt}`;
    writeLine(refusedSessionLine(resume, error));
    return refuse(error);
  }
  if (resume !== undefined) {
    const session = FakeSession.resume(resume);
    if (session !== undefined) return session;
    const error = `No conversation found with session ID: ${resume}`;
    writeLine(refusedSessionLine(resume, error));
    return refuse(error);
  }
  const id = sessionId ?? randomUUID();
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
    return refuse("Error: Invalid session ID. Must be a valid UUID.");
  return (
    FakeSession.create(id, { isKept: !noPersistence }) ?? refuse(`Error: Session ID ${id} is already in use.`)
  );
}

async function refuse(message: string): Promise<never> {
  process.stderr.write(`${message}\n`);
  await flushed();
  process.exit(1);
}
