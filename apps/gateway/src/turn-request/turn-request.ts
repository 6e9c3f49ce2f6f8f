import type { ClientTool, ContentPart, Submit, TranscriptCall } from "@synthesis/protocol";

/** One message of a client's conversation, in no API's words. */
export type Message =
  | { readonly role: "user"; readonly parts: readonly ContentPart[] }
  | { readonly role: "assistant"; readonly text: string; readonly calls: readonly TranscriptCall[] }
  | {
      readonly role: "tool";
      /** Id of the call that it answers. */
      readonly call: string;
      readonly parts: readonly ContentPart[];
      readonly isError: boolean;
    };

/** Whether the agent may, must or must not call the client's functions. */
export type ToolChoice =
  | { readonly type: "auto" | "none" | "required" }
  | { readonly type: "named"; readonly name: string };

/** What a client asks for: the same for every API in whose words it came. */
export interface TurnRequest {
  /** `<agent>` or `<agent>/<claude model>`. */
  readonly model: string | undefined;
  /** At least one; the last is the user's or a tool's. */
  readonly messages: readonly Message[];
  /** The system and developer messages, joined. */
  readonly instructions: string | undefined;
  /** The part of them that counts as a change; absent: all of it. */
  readonly lastingInstructions?: string;
  readonly tools: readonly ClientTool[];
  readonly toolChoice: ToolChoice;
  readonly answerSchema: Submit["answerSchema"];
  readonly effort: Submit["effort"];
  /** Whether the client is told the answer as it comes; else it reads it when that has ended. */
  readonly isStreamed: boolean;
  /** Names of the conversation in the body. */
  readonly names: {
    readonly promptCacheKey?: string | undefined;
    readonly conversation?: string | undefined;
    readonly metadataSession?: string | undefined;
    /** The turn whose answer it goes on from. */
    readonly previousTurn?: string | undefined;
  };
  /** The client's own name for its user. */
  readonly user: string | undefined;
  /** Names of the fields that were sent and have no effect: none is swallowed silently. */
  readonly ignored: readonly string[];
}

/** The texts of system and developer messages as one; undefined: there is nothing in them. */
export function joinedInstructions(texts: readonly string[]): string | undefined {
  return texts.filter((text) => text !== "").join("\n\n") || undefined;
}
