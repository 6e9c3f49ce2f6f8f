import { randomUUID } from "node:crypto";

/** A line of the transcript, as far as the fake reads it back; the fields are those of Claude Code 2.1.330. */
export interface TranscriptEntry {
  readonly type: "user" | "assistant";
  readonly uuid: string;
  /** Only of a prompt. */
  readonly promptSource?: "sdk";
  readonly isApiErrorMessage?: true;
  readonly message: {
    readonly role: "user" | "assistant";
    readonly model?: string;
    readonly stop_reason?: string | null;
    readonly content: string | readonly object[];
  };
}

/** What Claude notes for itself when it was interrupted. */
export const INTERRUPT_NOTE = "[Request interrupted by user]";

/** A prompt, under the uuid that it came with. */
export function promptEntry(uuid: string | undefined, text: string): TranscriptEntry {
  const message = { role: "user", content: text } as const;
  return { type: "user", uuid: uuid ?? randomUUID(), promptSource: "sdk", message };
}

/** A tool's result or a note. */
export function userEntry(content: readonly object[]): TranscriptEntry {
  return { type: "user", uuid: randomUUID(), message: { role: "user", content } };
}

/** One content block of a message of the model. */
export function assistantEntry(
  message: { readonly id: string; readonly model: string; readonly stop_reason: string | null },
  block: object,
  { uuid = randomUUID(), ...more }: { readonly uuid?: string | undefined; readonly isApiErrorMessage?: true },
): TranscriptEntry {
  const content = [block];
  return { type: "assistant", uuid, message: { role: "assistant", ...message, content }, ...more };
}
