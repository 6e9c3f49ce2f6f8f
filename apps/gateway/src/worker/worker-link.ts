import { abortable, LoopBatch, withDeadline } from "@synthesis/kit";
import { openWebSocket } from "@synthesis/kit/open-web-socket";
import {
  decodeFrames,
  encodeFrames,
  PROTOCOL_VERSION,
  WorkerFrame,
  type Attach,
  type Attached,
  type EnsureAnswer,
  type FindTurn,
  type GatewayFrame,
  type Locate,
  type Located,
  type Steer,
  type Steered,
  type Submit,
  type TurnInfo,
} from "@synthesis/protocol";
import { WebSocket } from "ws";
import { LinkRequests, linkLost } from "./link-requests.ts";
import type { TurnListener } from "./turn-listener.ts";

export interface WorkerLinkOptions {
  readonly answer: EnsureAnswer;
  /** Which gateway this is. */
  readonly gateway: Pick<Attach, "gateway" | "fence">;
  /** How long the worker may take to answer a question, in ms. */
  readonly answerMs: number;
  /** Until when (epoch ms) the account of the worker's headless agents is held; undefined: not any more. */
  onAccountHeld(until: number | undefined): void;
}

const ATTACH_MS = 5_000;
/** How long a worker may take to answer the close handshake, in ms. */
const CLOSE_HANDSHAKE_MS = 500;

/** The connection to one generation of a worker; all of its turns travel over it. */
export class WorkerLink {
  readonly workspace: string;
  readonly epoch: number;
  /** The worker's, which answers plain HTTP too. */
  readonly socketPath: string;
  /** Settles once, when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #options: WorkerLinkOptions;
  readonly #socket: WebSocket;
  readonly #batch: LoopBatch<GatewayFrame>;
  readonly #turns = new Map<string, TurnListener>();
  readonly #requests: LinkRequests;

  private constructor(socket: WebSocket, options: WorkerLinkOptions) {
    this.workspace = options.answer.workspace;
    this.epoch = options.answer.epoch;
    this.socketPath = options.answer.socketPath;
    this.#options = options;
    this.#requests = new LinkRequests(options.answerMs);
    this.#socket = socket;
    this.#batch = new LoopBatch((frames) => socket.send(encodeFrames(frames)));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.on("close", () => {
      this.#lose();
      resolve();
    });
  }

  /** Connects and attaches. Rejects where nobody, or another generation, answers. */
  static async open(options: WorkerLinkOptions): Promise<WorkerLink> {
    const { answer, gateway } = options;
    const clientOptions = {
      perMessageDeflate: false,
      closeTimeout: CLOSE_HANDSHAKE_MS, // known to ws 8.23, not to its types
      maxPayload: 0,
    };
    const socket = openWebSocket(answer.socketPath, "/", clientOptions);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.on("error", reject);
    const link = new WorkerLink(socket, options);
    const early = () => reject(new Error("the worker closed the connection"));
    socket.once("close", early);
    socket.once("open", () => link.#send({ type: "attach", protocol: PROTOCOL_VERSION, ...gateway }));
    socket.on("message", (data: Buffer) => link.#receive(data.toString("utf8"), resolve, reject));
    try {
      await withDeadline(promise, ATTACH_MS, "the worker did not answer");
    } catch (error) {
      socket.terminate();
      throw error;
    }
    socket.off("close", early);
    return link;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** The session that is meant, if the worker knows it. Rejects when the link is lost, or after `answerMs`. */
  async locate(by: Locate["by"]): Promise<Omit<Located, "type" | "request">> {
    return this.#request((request) => ({ type: "locate", request, by }));
  }

  /** The turn of a request that comes again. Rejects when the link is lost, or after `answerMs`. */
  async find(caller: string, by: FindTurn["by"]): Promise<TurnInfo | undefined> {
    return this.#request((request) => ({ type: "find_turn", request, caller, by }));
  }

  /** Hands a turn over; one that was handed over before, on another link, is only followed. */
  submit(order: Submit, listener: TurnListener): void {
    if (!this.isOpen) return listener.onLost();
    this.#turns.set(order.turn, listener);
    this.#sendAlone(order);
  }

  /** Has the worker tell a turn's events after a number, and those to come. */
  follow(turn: string, after: number, listener: TurnListener): void {
    if (!this.isOpen) return listener.onLost();
    this.#turns.set(turn, listener);
    this.#send({ type: "follow", turn, after });
  }

  /** The client has the turn's end. */
  taken(turn: string): void {
    if (this.isOpen) this.#send({ type: "taken", turn });
  }

  cancel(turn: string, reason: string): void {
    if (this.isOpen) this.#send({ type: "cancel_turn", turn, reason });
  }

  /**
   * Says something to the agent within a running turn. The number of the turn's last event before the agent took it
   * up; undefined: it never will. Rejects when the link is lost, and with the signal's reason.
   */
  async steer(
    message: Pick<Steer, "turn" | "message" | "prompt">,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (!this.isOpen) throw linkLost();
    const { after } = await this.#requests.sendPatiently<Steered>(
      (request) => this.#sendAlone({ type: "steer", request, ...message }),
      async (answer) => abortable(answer, signal),
    );
    return after;
  }

  /** Takes back what {@link steer} says, unless it is too late: the answer to that tells. */
  withdrawSteer(turn: string, message: string): void {
    if (this.isOpen) this.#send({ type: "withdraw_steer", turn, message });
  }

  async close(): Promise<void> {
    this.#batch.flush();
    this.#socket.close(1001, "the gateway closes");
    await this.closed;
  }

  async #request<T>(frame: (request: number) => GatewayFrame): Promise<T> {
    if (!this.isOpen) throw linkLost();
    return this.#requests.send<T>((request) => this.#send(frame(request)));
  }

  #send(frame: GatewayFrame): void {
    this.#batch.add(frame);
  }

  /** As a message of its own: prompts are as large as bodies may be, and a message has a bound. */
  #sendAlone(frame: GatewayFrame): void {
    this.#batch.flush();
    this.#socket.send(encodeFrames([frame]));
  }

  #receive(text: string, onAttached: () => void, onForeign: (error: Error) => void): void {
    const decoded = decodeFrames(WorkerFrame, text);
    if (!decoded.ok) return this.#socket.terminate(); // its turns are followed again on the next link
    for (const frame of decoded.frames) {
      if (frame.type !== "attached") this.#dispatch(frame);
      else if (this.#isMeant(frame)) onAttached();
      else onForeign(new Error(`another worker answers: ${frame.workspace}, epoch ${frame.epoch}`));
    }
  }

  #isMeant({ workspace, epoch, protocol }: Attached): boolean {
    return workspace === this.workspace && epoch === this.epoch && protocol === PROTOCOL_VERSION;
  }

  #dispatch(frame: Exclude<WorkerFrame, { type: "attached" }>): void {
    switch (frame.type) {
      case "located":
      case "steered":
        return this.#requests.answer(frame.request, frame);
      case "found_turn":
        return this.#requests.answer(frame.request, frame.turn);
      case "unanswered":
        return this.#requests.refuse(frame.request, frame.error);
      case "account_held":
        return this.#options.onAccountHeld(frame.until);
      case "accepted":
        return this.#turns.get(frame.turn)?.onAccepted(frame.reset);
      case "delta":
      case "reasoning":
      case "tool_called":
      case "asked":
      case "ask_settled":
        return this.#turns.get(frame.turn)?.onEvent(frame);
      case "refused":
        return this.#last(frame.turn)?.onRefused(frame.error);
      case "ended":
        return this.#last(frame.turn)?.onEnded(frame.seq, frame.end);
      case "gone":
        return this.#last(frame.turn)?.onGone(frame.end);
    }
  }

  #last(turn: string): TurnListener | undefined {
    const listener = this.#turns.get(turn);
    this.#turns.delete(turn);
    return listener;
  }

  #lose(): void {
    this.#requests.lose();
    const turns = [...this.#turns.values()];
    this.#turns.clear();
    for (const listener of turns) listener.onLost();
  }
}
