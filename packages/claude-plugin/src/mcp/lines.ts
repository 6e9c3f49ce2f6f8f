const MAX_MIB = 64;
const NEWLINE = 0x0a;

/** The lines of a stream, as text; rejects at one longer than 64 MiB. An unfinished last line is dropped. */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...begun, chunk.subarray(start, end)]).toString("utf8");
      begun = [];
      begunBytes = 0;
      start = end + 1;
    }
    begun.push(chunk.subarray(start));
    begunBytes += chunk.length - start;
    if (begunBytes > MAX_MIB * 1024 * 1024) throw new Error(`a line is longer than ${MAX_MIB} MiB`);
  }
}
