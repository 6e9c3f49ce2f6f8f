import { ErrorCode } from "@synthesis/protocol";
import * as z from "zod";

/** An answer, read to its end. */
export interface FuzzAnswer {
  readonly status: number;
  readonly text: string;
}

/** Statuses by which a request is refused for what it is. */
const refusals: ReadonlySet<number> = new Set([400, 403, 404, 409, 413, 415, 422, 429]);
const MAX_MESSAGE = 2_000;
/** What a refusal may speak of beside the fields that were sent. */
const SUBJECTS = [
  "the body",
  "messages",
  "the format of the answer",
  "the JSON Schema of the answer",
  "the session key",
  "x-synthesis-",
  "idempotency-key",
];

const ErrorBody = z.strictObject({
  error: z.strictObject({
    message: z.string().min(1).max(MAX_MESSAGE),
    type: z.string().min(1),
    code: ErrorCode,
    param: z.string().nullable(),
  }),
});
const Completion = z.looseObject({
  object: z.literal("chat.completion"),
  choices: z.tuple([
    z.looseObject({
      message: z.looseObject({ role: z.literal("assistant"), content: z.string().nullable() }),
      finish_reason: z.enum(["stop", "tool_calls", "length"]),
    }),
  ]),
});
const Chunk = z.looseObject({ object: z.literal("chat.completion.chunk"), choices: z.array(z.unknown()) });

/** What is wrong with an answer; undefined: nothing. */
export function faultOf({ status, text }: FuzzAnswer, body: Buffer): string | undefined {
  try {
    if (status !== 200) {
      if (!refusals.has(status)) return `status ${status}`;
      return faultOfRefusal(ErrorBody.parse(JSON.parse(text)).error, body);
    }
    if (text.startsWith("{")) Completion.parse(JSON.parse(text));
    else return faultOfStream(text, body);
  } catch (error) {
    return String(error);
  }
  return undefined;
}

type WireError = z.infer<typeof ErrorBody>["error"];

/** A refusal says which part of the request it means. */
function faultOfRefusal({ code, message }: WireError, body: Buffer): string | undefined {
  if (code !== "invalid_request") return undefined; // its code names the subject
  const subjects = [...SUBJECTS, ...fieldsOf(body)];
  return subjects.some((subject) => message.includes(subject))
    ? undefined
    : "its message names no part of the request";
}

function fieldsOf(body: Buffer): readonly string[] {
  const value: unknown = JSON.parse(new TextDecoder().decode(body));
  return typeof value === "object" && value !== null ? Object.keys(value).filter((name) => name !== "") : [];
}

/** A stream has chunks and then `[DONE]`, or an error and then nothing. */
function faultOfStream(text: string, body: Buffer): string | undefined {
  const data = text
    .split("\n")
    .flatMap((line) => (line.startsWith("data: ") ? [line.slice("data: ".length)] : []));
  const last = data.pop();
  for (const chunk of data) Chunk.parse(JSON.parse(chunk));
  if (last === "[DONE]") return undefined;
  const { error } = ErrorBody.parse(JSON.parse(last ?? ""));
  // What the interrupting requests among them do to the others.
  return error.code === "turn_cancelled"
    ? undefined
    : (faultOfRefusal(error, body) ?? `the stream failed: ${error.code}`);
}
