import { answerPrompt } from "./answer-prompt.ts";

/** The seed plugin's connection; {@link SeedLink.connect} again replaces it, with the same URL and token. */
export class SeedLink {
  readonly #url: string;
  readonly #sessionKey: string;
  #current: WebSocket | undefined;

  constructor(url: string, sessionKey: string) {
    this.#url = url;
    this.#sessionKey = sessionKey;
  }

  /** Opens a connection, says hello and makes it the current one; resolves at `hello_ack`. */
  connect(): Promise<void> {
    const { socket, acknowledged } = this.#open(this.#sessionKey);
    this.#current = socket;
    return acknowledged;
  }

  /** Says hello for another session on a connection of its own; resolves with the code by which it is closed. */
  async impersonate(sessionKey: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { socket } = this.#open(sessionKey);
    socket.addEventListener("close", ({ code }) => resolve(code));
    return promise;
  }

  /** One part of an answer, on the current connection. */
  reply(content: string, isFinal: boolean): void {
    this.#current?.send(JSON.stringify({ type: "reply", content, ...(isFinal ? {} : { final: false }) }));
  }

  #open(sessionKey: string): { readonly socket: WebSocket; readonly acknowledged: Promise<void> } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = new WebSocket(this.#url);
    const hello = { type: "hello", pid: process.pid, openclaw_session: sessionKey };
    socket.addEventListener("open", () => socket.send(JSON.stringify(hello)));
    socket.addEventListener("message", ({ data }) => {
      const frame: { readonly type: string; readonly content?: string } = JSON.parse(String(data));
      if (frame.type === "ping") socket.send('{"type":"pong"}');
      else if (frame.type === "hello_ack") resolve();
      else if (frame.type === "inbound") void answerPrompt(this, frame.content ?? "");
    });
    socket.addEventListener("close", () => {
      if (socket === this.#current) process.exit(0);
    });
    return { socket, acknowledged: promise };
  }
}
