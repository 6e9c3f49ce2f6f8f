import * as fc from "fast-check";
import { hostileBody, withOneFault } from "./odd-body.ts";
import { validChat } from "./valid-chat.ts";

/** One request as it goes over the wire. */
export interface GeneratedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Conversations that the requests share: an agent process each. */
const SESSIONS = 8;

const body = fc.oneof(
  { weight: 2, arbitrary: validChat.map(bytesOf) },
  { weight: 6, arbitrary: withOneFault(validChat).map(bytesOf) },
  { weight: 4, arbitrary: hostileBody },
);

const oddHeaders = fc.constantFrom<Readonly<Record<string, string>>>(
  { "content-type": "text/plain" },
  { "content-type": "application/json; charset=latin1" },
  { "x-synthesis-busy": "hurry" },
  { "x-synthesis-busy": "reject" },
  { "x-synthesis-busy": "interrupt" },
  { "x-synthesis-history": "neither" },
  { "x-synthesis-on-disconnect": "continue" },
  { "x-openclaw-agent-id": "../../etc" },
  { "x-openclaw-workspace": "/" },
  { "x-openclaw-session-key": "k".repeat(600) },
  { "idempotency-key": "the same for all" },
  { "x-stainless-retry-count": "NaN" },
);

/**
 * A request, valid, odd or hostile. Its session has a name and takes what it says as new, for each new or rewritten
 * conversation would cost a process.
 */
export const generatedRequest: fc.Arbitrary<GeneratedRequest> = fc
  .tuple(
    body,
    fc.nat({ max: SESSIONS - 1 }),
    fc.oneof({ weight: 8, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: oddHeaders }),
  )
  .map(([bytes, session, odd]) => ({
    headers: {
      "content-type": "application/json",
      "x-openclaw-session-key": `fuzz ${session}`,
      "x-synthesis-history": "append",
      ...odd,
    },
    body: bytes,
  }));

function bytesOf(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
