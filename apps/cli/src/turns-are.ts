/** `1 turn is`, `3 turns are`. */
export function turnsAre(count: number): string {
  return count === 1 ? "1 turn is" : `${count} turns are`;
}
