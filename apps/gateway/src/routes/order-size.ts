import { linkMessageBytes, WireFailure, type Prompt, type Submit } from "@synthesis/protocol";

/** Of one character as JSON, at most: a control character. */
const CHARACTER_BYTES = 6;
/** Of a part beside its content. */
const PART_CHARACTERS = 64;
/** Of a frame beside what is counted. */
const ENVELOPE_BYTES = 1024;

/**
 * Throws `body_too_large` for an order that is longer, as JSON, than its worker takes: sent, it would cost the link, and
 * with it everybody's turns. `bodyBytes`: the largest body of a request.
 */
export function checkOrderSize(
  order: Pick<Submit, "prompt"> & Pick<Partial<Submit>, "instructions">,
  bodyBytes: number,
): void {
  const maxBytes = linkMessageBytes(bodyBytes);
  // Written only to be measured it costs milliseconds, and hardly any is near the bound. Half is for the schemas.
  const characters = charactersOf(order.prompt) + (order.instructions?.length ?? 0);
  if (characters * CHARACTER_BYTES < maxBytes / 2) return;
  const bytes = Buffer.byteLength(JSON.stringify(order)) + ENVELOPE_BYTES;
  if (bytes > maxBytes)
    throw new WireFailure(
      "body_too_large",
      `the request has ${bytes} bytes as its agent is told it, at most ${maxBytes} are taken (limits.bodyBytes): send less at once`,
    );
}

function charactersOf(prompt: string | readonly Exclude<Prompt, string>[number][]): number {
  if (typeof prompt === "string") return prompt.length;
  let characters = 0;
  for (const part of prompt) {
    if (part.type === "text") characters += part.text.length;
    else if (part.type !== "tool_result") characters += part.data.length;
    else characters += part.name.length + part.arguments.length + charactersOf(part.content);
  }
  return characters + prompt.length * PART_CHARACTERS;
}
