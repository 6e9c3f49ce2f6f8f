import { jsonOf, type CloseReason } from "@synthesis/kit";
import { LiveStarted, type LiveWelcome } from "@synthesis/protocol";
import type { WebSocket } from "ws";
import type { Child } from "../../process/child.ts";

/** How long the command may take to start it, in ms: till then nobody can be told anything, and its name is taken. */
const START_MS = 10_000;
/** Of a WebSocket's close frame. */
const LONGEST_REASON_BYTES = 120;

/**
 * A Claude in somebody's own terminal, lent for as long as the connection of the command lasts that started it. It is
 * not ours to end: to close it is to let go of it, and it goes on without its plugin's connection.
 */
export class Lease implements Child {
  readonly closed: Promise<CloseReason>;
  readonly #socket: WebSocket;
  #pid: number | undefined;
  #reason: CloseReason | undefined;
  readonly #start: NodeJS.Timeout;

  /** `socket` ends by itself where its close handshake is not answered. */
  constructor(socket: WebSocket, startMs = START_MS) {
    this.#socket = socket;
    const late = { code: "not_started", message: `nobody said within ${startMs} ms that it was started` };
    this.#start = setTimeout(() => void this.close(late), startMs);
    socket.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) this.#onText(data.toString("utf8"));
    });
    socket.on("error", () => socket.terminate());
    const { promise, resolve } = Promise.withResolvers<CloseReason>();
    const ended = { code: "exited", message: "the Claude in the terminal ended" };
    socket.once("close", () => {
      clearTimeout(this.#start);
      resolve(this.#reason ?? ended);
    });
    this.closed = promise;
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  get isAlive(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Says with what to start it. */
  greet(welcome: LiveWelcome): void {
    this.#socket.send(JSON.stringify(welcome));
  }

  async close(reason: CloseReason): Promise<void> {
    this.#reason ??= reason;
    this.#socket.close(1000, utf8Start(reason.message));
    await this.closed;
  }

  async kill(reason: CloseReason): Promise<void> {
    await this.close(reason);
  }

  #onText(text: string): void {
    const started = LiveStarted.safeParse(jsonOf(text));
    if (!started.success) return this.#socket.terminate();
    clearTimeout(this.#start);
    this.#pid = started.data.pid;
  }
}

function utf8Start(text: string): string {
  return new TextDecoder()
    .decode(new TextEncoder().encode(text).subarray(0, LONGEST_REASON_BYTES))
    .replace(/\uFFFD$/, "");
}
