/** One server-sent event; `data` is its text. */
export interface SseEvent {
  readonly id: string | undefined;
  readonly data: string;
}

/** Cuts the text of an event stream into its events. Comments are skipped, as by any client. */
export class SseReader {
  #pending = "";

  push(text: string): readonly SseEvent[] {
    const blocks = (this.#pending + text).split("\n\n");
    this.#pending = blocks.pop() ?? "";
    return blocks.flatMap((block) => readBlock(block) ?? []);
  }
}

function readBlock(block: string): SseEvent | undefined {
  const data: string[] = [];
  let id: string | undefined;
  for (const line of block.split("\n")) {
    if (line.startsWith("data: ")) data.push(line.slice("data: ".length));
    else if (line.startsWith("id: ")) id = line.slice("id: ".length);
  }
  return data.length === 0 ? undefined : { id, data: data.join("\n") };
}
