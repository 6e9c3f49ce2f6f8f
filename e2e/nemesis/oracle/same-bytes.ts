import type { Attempt, ClientTurn } from "../client/client-turn.ts";
import { answerTo } from "../conversation/answer.ts";
import type { LedgerEntry } from "../ledger/ledger-entry.ts";
import type { Evidence, Violation } from "./evidence.ts";

/** What sets a resumed answer apart from what was said before the cut. */
const RESUMED = "\n\n";

/**
 * I5: what a client was shown is what the agent said, from its first byte on and without a gap; all of it where it
 * was called complete. In a workspace in `resumable` the answer of the next process may follow that of a cut one.
 */
export function sameBytes({ clients, ledger, resumable }: Evidence): readonly Violation[] {
  const said = textsSaid(ledger);
  return clients.flatMap((turn) => {
    const isResumable = resumable.has(turn.workspace);
    const tries = said.get(turn.order.canary) ?? [];
    const messages = turn.attempts.flatMap((attempt) => [
      ...(isResumable && isContinued(attempt.text, tries) ? [] : compare(attempt, tries)),
      ...completeness(attempt, turn, isResumable),
      ...numbering(attempt),
    ]);
    return messages.map((message): Violation => ({ invariant: "I5", subject: turn.order.canary, message }));
  });
}

/** By canary: what each process said, or each try of one. */
function textsSaid(ledger: readonly LedgerEntry[]): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, string[]>();
  const open = new Map<string, { text: string }>();
  const tries = new Map<string, { text: string }[]>();
  for (const entry of ledger) {
    const writer = `${entry.canary} ${entry.process} ${entry.turn}`;
    if (entry.type === "taken") {
      const started = { text: "" };
      open.set(writer, started);
      tries.set(entry.canary, [...(tries.get(entry.canary) ?? []), started]);
    } else if (entry.type === "said") {
      const current = open.get(writer);
      if (current !== undefined) current.text += entry.text;
    }
  }
  for (const [canary, made] of tries)
    texts.set(
      canary,
      made.map(({ text }) => text),
    );
  return texts;
}

function compare({ text, turn }: Attempt, said: readonly string[]): readonly string[] {
  if (said.some((whole) => whole.startsWith(text)) || text === "") return [];
  const longest = said.toSorted((a, b) => commonLength(b, text) - commonLength(a, text))[0] ?? "";
  const at = commonLength(longest, text);
  return [
    `turn ${turn} differs from what was said at character ${at}: its client has ${quoted(text, at)}, the agent said ${quoted(longest, at)}`,
  ];
}

/** Whether it is the beginning of what one try said, then that of what a later one did. */
function isContinued(text: string, tries: readonly string[]): boolean {
  return tries.some((cut, index) => {
    const common = commonLength(cut, text);
    return tries.slice(index + 1).some((next) => {
      for (let at = text.indexOf(RESUMED); at >= 0 && at <= common; at = text.indexOf(RESUMED, at + 1)) {
        if (next.startsWith(text.slice(at + RESUMED.length))) return true;
      }
      return false;
    });
  });
}

function completeness(
  { text, outcome }: Attempt,
  { order }: ClientTurn,
  isResumable: boolean,
): readonly string[] {
  if (outcome.kind !== "completed") return [];
  const whole = answerTo(order);
  if (text === whole || (isResumable && text.endsWith(`${RESUMED}${whole}`))) return [];
  const at = commonLength(whole, text);
  return [
    `is called complete with ${text.length} of ${whole.length} characters, right up to character ${at}`,
  ];
}

function numbering({ seqs, turn }: Attempt): readonly string[] {
  const at = seqs.findIndex((seq, index) => index > 0 && seq <= (seqs[index - 1] ?? 0));
  return at < 0 ? [] : [`turn ${turn}: event ${seqs[at]} came after event ${seqs[at - 1]}`];
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

function quoted(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 40));
}
