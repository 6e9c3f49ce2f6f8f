import { createHash } from "node:crypto";
import { monotonicMs } from "@synthesis/kit";
import {
  EMPTY_TRANSCRIPT,
  rollTranscript,
  type RequestIdentity,
  type Said,
  type Submit,
} from "@synthesis/protocol";

export type SubmitOptions = Partial<Omit<Submit, "type" | "turn" | "session" | "request" | "said">> & {
  /** What its user wrote; absent: the prompt. */
  readonly said?: string;
  /** When (epoch ms, though it is told by the monotonic clock); absent: long enough after what was told before. */
  readonly receivedAt?: number;
  readonly session?: string;
  readonly agent?: string;
  readonly request?: Partial<RequestIdentity>;
};

export const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** The transcript scope of every test's sessions. */
export const testScope = hashOf("scope");
/** Whose turns they are. */
export const testCaller = hashOf("caller");

/** What is told of session `s`, unless it is of another agent. */
export const locatedSession = { session: "s", agent: "claude", key: "claude::s" };
export const locatedSeed = { session: "s", agent: "seed", key: "seed::s" };

/** What is longer is no verdict. */
const MAX_SAID = 16_384;
/** So long a person takes to read a question: more than what counts as a word said twice. */
const READING_MS = 5_000;

/** As a gateway would tell it; `receivedAt` as in {@link SubmitOptions}. */
export function testSaid(words: string, receivedAt = Date.now() + READING_MS): Said {
  return { words, receivedMs: monotonicMs() + receivedAt - Date.now() };
}

/** A `submit` frame as a gateway would send it; `options.prompt` where it is more than a text. */
export function testSubmit(turn: string, prompt: string, options: SubmitOptions = {}): Submit {
  const { session = "s", agent = "claude", request, said, receivedAt, ...more } = options;
  const words = said ?? (options.prompt === undefined ? prompt : "");
  const isSaid = words !== "" && words.length <= MAX_SAID;
  return {
    type: "submit",
    turn,
    request: { caller: testCaller, body: hashOf(`body ${prompt}`), prompt: hashOf(prompt), ...request },
    session: { id: session, key: `${agent}::${session}`, agent, scope: testScope },
    prompt,
    ...(isSaid ? { said: testSaid(words, receivedAt) } : {}),
    needsMemory: false,
    transcript: rollTranscript(EMPTY_TRANSCRIPT, "user", prompt),
    ...more,
  };
}
