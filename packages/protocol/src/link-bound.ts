/** Base64 of a text file that is control characters only: 4 bytes of body are 3 characters, and each is 6 in JSON. */
const PROMPT_TO_BODY = 4.5;
/** For all that is not said by the body: identifiers, and tags around what it quotes. */
const BESIDE_BYTES = 64 * 1024;

/** The longest message of a gateway to a worker, in bytes, where bodies have up to `bodyBytes`. */
export function linkMessageBytes(bodyBytes: number): number {
  return Math.ceil(bodyBytes * PROMPT_TO_BODY) + BESIDE_BYTES;
}
