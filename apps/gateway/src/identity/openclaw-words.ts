import type { ClientWords, RestartWords } from "../turn-request/conversation.ts";

/*
 * How OpenClaw (measured with 2026.9.6) writes what its user said. It puts a stamp before each text, a new one when it
 * sends it again. After a failure it sends the text again, asking to go on. After an abort it sends the aborted text and
 * the new one as one message, and later tells only the new one. What comes from a chat platform has blocks of context,
 * each below a heading with a mark, and hints.
 */
const TIME_STAMP = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2} [^\]]{1,40}\] /;
const QUEUED =
  "[Queued user message from a previous active turn; preserved as context only. Continue with the active prompt below.]\n";
const GO_ON = "Continue the current task from the existing transcript";
const BLANK_LINE = "\n\n";
const RETRY = `${BLANK_LINE}${GO_ON}`;
const CONTEXT_MARK = "⟦openclaw:ctx⟧";
/** All that is below it is context. */
const LAST_CONTEXT = `Context: ${CONTEXT_MARK}`;
const HINT = /^Delivery: (?:to send a message|Final assistant text|No visible reply)\b.*`message` tool/;
/** So many places are tried where an aborted text may end. */
const MAX_READINGS = 8;

export const openclawWords: ClientWords = {
  plain,
  spoken,
  readRestart(text) {
    const stamp = TIME_STAMP.exec(text)?.[0] ?? "";
    const read = readOwn(text.slice(stamp.length));
    if (read === undefined) return undefined;
    const readings = read.readings.map((reading) => ({ ...reading, rest: stamp + reading.rest }));
    return { ...read, whole: stamp + read.whole, readings };
  },
};

function plain(text: string): string {
  const own = text.replace(TIME_STAMP, "");
  return readOwn(own)?.readings[0]?.later ?? own;
}

/** Nothing where the client said it by itself, or where it may be only the end of what was said. */
function spoken(text: string): string {
  const own = text.replace(TIME_STAMP, "");
  if (own.includes(RETRY) || own.lastIndexOf(QUEUED) > 0) return "";
  const [only, ...others] = readOwn(own)?.readings.map(({ later }) => later) ?? [own];
  if (only === undefined || others.length > 0) return "";
  return withoutContext(only).replace(TIME_STAMP, "");
}

/** A block is JSON in a fence, or lines up to an empty one. */
function withoutContext(text: string): string {
  if (!text.includes(CONTEXT_MARK)) return text;
  const kept: string[] = [];
  let within: "nothing" | "heading" | "fence" | "lines" = "nothing";
  for (const line of text.split("\n").map((each) => each.trimEnd())) {
    if (line === LAST_CONTEXT) break;
    const isOver = within === "fence" ? line === "```" : within !== "nothing" && line === "";
    if (isOver) within = "nothing";
    else if (within === "heading") within = line === "```json" ? "fence" : "lines";
    else if (within === "nothing" && line.endsWith(CONTEXT_MARK)) within = "heading";
    else if (within === "nothing" && !HINT.test(line)) kept.push(line);
  }
  return kept.join("\n").trim();
}

function readOwn(text: string): RestartWords | undefined {
  const isQueued = text.startsWith(QUEUED);
  const said = isQueued ? text.slice(QUEUED.length) : text;
  const retry = said.lastIndexOf(RETRY);
  if (retry !== -1) {
    const asked = said.slice(0, retry).replace(TIME_STAMP, "");
    const rest = said.slice(retry + BLANK_LINE.length);
    return { whole: asked, readings: [{ asked, rest, later: asked }] };
  }
  if (!isQueued) return undefined;
  const readings: RestartWords["readings"][number][] = [];
  let end = said.lastIndexOf(BLANK_LINE);
  for (; end > 0 && readings.length < MAX_READINGS; end = said.lastIndexOf(BLANK_LINE, end - 1)) {
    const rest = said.slice(end + BLANK_LINE.length);
    readings.push({ asked: said.slice(0, end).replace(TIME_STAMP, ""), rest, later: rest });
  }
  return { whole: said, readings };
}
