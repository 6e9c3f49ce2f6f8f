import type { Attachment } from "../attachment.ts";
import type { Inbound } from "../plugin-frame.ts";
import type { ReceivedFile } from "../received-file.ts";
import type { OutboundFrame } from "./outbox.ts";
import { textParts } from "./text-parts.ts";

const MAX_FAILURE_CHARS = 4096;

/** One prompt and the means to answer it. After its end every call is dropped silently. */
export interface InboundTurn {
  /** The turn's id (`meta.message_id`). */
  readonly id: string;
  readonly content: string;
  /** What the prompt came with: `chat_id`, `message_id`, `ts`, and whatever else the bridge added. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** What came with it beside text, in the order of the prompt (capability `received_files`). */
  readonly files: readonly ReceivedFile[];
  /** Aborts when nobody wants the answer any more: stop working, then return. */
  readonly signal: AbortSignal;
  /** Sends the next part of the answer, in as many frames as it takes. */
  reply(text: string): void;
  /** Ends the answer, with `text` as its last part. */
  end(text?: string): void;
  /** Ends the turn as failed; `message` (cut at 4,096 characters) is an error to the user, not answer text. */
  fail(message: string): void;
  /** Says that work goes on; `text` is shown as reasoning. */
  progress(text?: string): void;
  /** Sends a file that belongs to the answer (capability `attachments`). */
  attach(file: Attachment): void;
  /** Says that the agent has the prompt before it (capability `seen`). */
  seen(): void;
  /**
   * Says that the agent has ended the turn (capability `turn_over`), also after {@link end}; `text` is what it said
   * last, which is the answer if there was no other. Further calls are dropped.
   */
  over(text?: string): void;
}

/** An {@link InboundTurn} as the client sees it: with its cancellation and its end. */
export class Turn implements InboundTurn {
  readonly id: string;
  content = "";
  meta: Readonly<Record<string, unknown>> = {};
  files: readonly ReceivedFile[] = [];
  readonly #partBytes: () => number;
  readonly #write: (frame: OutboundFrame) => void;
  readonly #onEnd: () => void;
  readonly #abort = new AbortController();
  #state: "running" | "ended" = "running";
  #handler: "working" | "settled" = "working";
  #hasReplied = false;
  #isOver = false;

  /** `partBytes` is the longest text that one frame may have; `onEnd` is called once the turn has ended here. */
  constructor(
    id: string,
    options: {
      readonly partBytes: () => number;
      readonly write: (frame: OutboundFrame) => void;
      readonly onEnd: () => void;
    },
  ) {
    this.id = id;
    this.#partBytes = options.partBytes;
    this.#write = options.write;
    this.#onEnd = options.onEnd;
  }

  /** The prompt, which one that is taken up from a predecessor has only if the bridge repeats it. */
  tell({ content, meta, attachments = [] }: Inbound): void {
    this.content = content;
    this.meta = meta;
    this.files = attachments;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  reply(text: string): void {
    for (const content of textParts(text, this.#partBytes())) this.#replyInPart(content);
  }

  end(text = ""): void {
    const parts = textParts(text, this.#partBytes());
    const last = parts.pop();
    for (const content of parts) this.#replyInPart(content);
    this.#finish({ type: "reply", content: last ?? "", final: true, message_id: this.id });
  }

  fail(message: string): void {
    // What breaks because it was told to stop did not fail.
    if (this.signal.aborted) this.#finish({ type: "cancelled", message_id: this.id });
    else this.#finish({ type: "failure", message: message.slice(0, MAX_FAILURE_CHARS), message_id: this.id });
  }

  progress(text?: string): void {
    if (text === undefined) this.#say({ type: "progress", message_id: this.id });
    else
      for (const part of textParts(text, this.#partBytes()))
        this.#say({ type: "progress", message_id: this.id, text: part });
  }

  attach(file: Attachment): void {
    this.#hasReplied = true;
    this.#say({ type: "reply", content: "", final: false, attachments: [file], message_id: this.id });
  }

  seen(): void {
    this.#say({ type: "seen", message_id: this.id });
  }

  over(text?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const frame = { type: "turn_over", message_id: this.id } as const;
    if (this.#state === "ended") return this.#write(frame);
    const parts = text === undefined || this.#hasReplied ? [] : textParts(text, this.#partBytes());
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return this.#finish({ ...frame, text: only });
    for (const content of parts) this.#replyInPart(content);
    this.#finish(frame);
  }

  /**
   * Runs the handler. One that returns without an end leaves the turn open, for an answer by events; one that
   * throws fails it.
   */
  async run(handler: (turn: InboundTurn) => void | Promise<void>): Promise<void> {
    try {
      await handler(this);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
    this.#handler = "settled";
    if (this.signal.aborted) this.#finish({ type: "cancelled", message_id: this.id });
  }

  /** Stops the turn; `cancelled` follows as soon as the handler has settled, unless it ends the turn itself. */
  cancel(reason: string): void {
    this.#abort.abort(new Error(reason));
    if (this.#handler === "settled") this.#finish({ type: "cancelled", message_id: this.id });
  }

  /** Stops the turn and says nothing more for it. */
  abandon(reason: string): void {
    this.#state = "ended";
    this.#abort.abort(new Error(reason));
  }

  #replyInPart(content: string): void {
    this.#hasReplied ||= content !== "";
    this.#say({ type: "reply", content, final: false, message_id: this.id });
  }

  #say(frame: OutboundFrame): void {
    if (this.#state === "running") this.#write(frame);
  }

  #finish(frame: OutboundFrame): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#write(frame);
    this.#onEnd();
  }
}
