import { createHash } from "node:crypto";
import { EMPTY_TRANSCRIPT, rollTranscript, type RequestIdentity, type Submit } from "@synthesis/protocol";

export type SubmitOptions = Partial<Omit<Submit, "type" | "turn" | "session" | "request">> & {
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

/** A `submit` frame as a gateway would send it; `options.prompt` where it is more than a text. */
export function testSubmit(turn: string, prompt: string, options: SubmitOptions = {}): Submit {
  const { session = "s", agent = "claude", request, ...more } = options;
  return {
    type: "submit",
    turn,
    request: { caller: testCaller, body: hashOf(`body ${prompt}`), prompt: hashOf(prompt), ...request },
    session: { id: session, key: `${agent}::${session}`, agent, scope: testScope },
    prompt,
    ...(options.prompt === undefined && prompt.length <= MAX_SAID ? { said: prompt } : {}),
    needsMemory: false,
    transcript: rollTranscript(EMPTY_TRANSCRIPT, "user", prompt),
    ...more,
  };
}
