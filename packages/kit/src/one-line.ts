/** Text in one line of at most `max` characters, without what would steer a terminal. */
export function oneLine(text: string, max = Infinity): string {
  const line = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}
