/** What has no sign of its own, or steers a terminal or the direction of writing; a tab does neither. */
const UNSEEN = /[^\P{C}\t]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Text of an agent's in which nothing hides: what cannot be seen stands there as JSON would escape it. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (unseen) =>
    unseen
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
