/** The value of a command-line option that takes a whole number above 0. */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0)
    throw new Error(`--${name} takes a whole number, not "${text}"`);
  return value;
}
