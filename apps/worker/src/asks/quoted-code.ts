/** How much is shown: as many characters at most, in as many lines. */
export interface ShownBounds {
  readonly characters: number;
  readonly lines: number;
}

/** The rest of a longer line would be out of sight where code is not wrapped. */
const PIECES = /.{1,120}/gsu;
/** Before what was one line with the one above it. */
const GOES_ON = "↳ ";

/**
 * Lines as a block of code in a quotation: nothing in them is Markdown, nor ends the block. Of more than is to be
 * shown the beginning and the end, and between them what `leftOut` says of so many characters.
 */
export function quotedCode(
  lines: readonly string[],
  { characters, lines: count }: ShownBounds,
  leftOut: (characters: number) => string,
): string[] {
  const folded = lines.flatMap((line) => foldedLine(line));
  const fence = fenceOf(folded);
  const block = (part: readonly string[]) => [fence, ...part, fence].map((line) => `> ${line}`);
  if (folded.length <= count && lengthOf(folded) <= characters) return block(folded);
  const half: ShownBounds = { characters: characters / 2, lines: count / 2 };
  const head = folded.slice(0, fitting(folded, half));
  const rest = folded.slice(head.length);
  const tail = rest.slice(rest.length - fitting(rest.toReversed(), half));
  const missing = lengthOf(rest) - lengthOf(tail);
  return [...block(head), `> ${leftOut(missing)}`, ...block(tail)];
}

/** Words in a line of Markdown as they are. */
export function codeSpan(words: string): string {
  const ticks = "`".repeat(longestTicks([words]) + 1);
  const pad = words.startsWith("`") || words.endsWith("`") ? " " : "";
  return `${ticks}${pad}${words}${pad}${ticks}`;
}

function foldedLine(line: string): string[] {
  const [first = "", ...others] = line.match(PIECES) ?? [];
  return [first, ...others.map((part) => GOES_ON + part)];
}

/** How many of the lines, from the first on. */
function fitting(lines: readonly string[], { characters, lines: count }: ShownBounds): number {
  let left = characters;
  const end = lines.findIndex((line, index) => index >= count || (left -= lengthOf([line])) < 0);
  return end === -1 ? lines.length : end;
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((length, line) => length + line.length + 1, 0);
}

function fenceOf(lines: readonly string[]): string {
  return "`".repeat(Math.max(3, longestTicks(lines) + 1));
}

function longestTicks(lines: readonly string[]): number {
  const runs = lines.flatMap((line) => line.match(/`+/g) ?? []);
  return runs.reduce((longest, { length }) => Math.max(longest, length), 0);
}
