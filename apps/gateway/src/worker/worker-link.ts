import { connect } from "node:net";
import { LoopBatch, withDeadline } from "@synthesis/kit";
import {
  decodeFrames,
  encodeFrames,
  PROTOCOL_VERSION,
  WireFailure,
  WorkerFrame,
  type Attached,
  type EnsureAnswer,
  type GatewayFrame,
  type Locate,
  type Submit,
  type TurnEnd,
  type WireError,
} from "@synthesis/protocol";
import { WebSocket } from "ws";

/** Who is told what becomes of a turn. Exactly one of `onRefused` and `onEnded` comes, last. */
export interface TurnListener {
  onAccepted(): void;
  onRefused(error: WireError): void;
  onText(text: string): void;
  onReasoning(text: string): void;
  onEnded(end: TurnEnd): void;
}

const ATTACH_MS = 5_000;
const LOST: WireError = {
  code: "turn_interrupted",
  message: "the workspace's worker ended within the turn: what it did so far may have had effects",
};

/** The connection to one generation of a worker; all of its turns travel over it. */
export class WorkerLink {
  readonly workspace: string;
  readonly epoch: number;
  /** Settles once, when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #batch: LoopBatch<GatewayFrame>;
  readonly #turns = new Map<string, TurnListener>();
  readonly #locating = new Map<number, PromiseWithResolvers<string | undefined>>();
  #requests = 0;

  private constructor(socket: WebSocket, { workspace, epoch }: EnsureAnswer) {
    this.workspace = workspace;
    this.epoch = epoch;
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
  static async open(answer: EnsureAnswer): Promise<WorkerLink> {
    // Not as a ws+unix URL: in a path, spaces and colons are just characters.
    const socket = new WebSocket("ws://worker/", {
      createConnection: () => connect(answer.socketPath),
      perMessageDeflate: false,
      maxPayload: 0,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.on("error", reject);
    const link = new WorkerLink(socket, answer);
    const early = () => reject(new Error("the worker closed the connection"));
    socket.once("close", early);
    socket.once("open", () => link.#send({ type: "attach", protocol: PROTOCOL_VERSION }));
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

  /** The session that is meant, if the worker knows it. Rejects when the link is lost. */
  async locate(by: Locate["by"]): Promise<string | undefined> {
    if (!this.isOpen) throw lost();
    const request = ++this.#requests;
    const answer = Promise.withResolvers<string | undefined>();
    this.#locating.set(request, answer);
    this.#send({ type: "locate", request, by });
    return answer.promise;
  }

  submit(order: Submit, listener: TurnListener): void {
    // Not sent, so certainly not run: it may be sent again.
    if (!this.isOpen) return listener.onRefused(lost().error);
    this.#turns.set(order.turn, listener);
    // A message of its own: prompts are as large as bodies may be, and a message has a bound.
    this.#batch.flush();
    this.#socket.send(encodeFrames([order]));
  }

  cancel(turn: string, reason: string): void {
    if (this.#turns.has(turn) && this.isOpen) this.#send({ type: "cancel_turn", turn, reason });
  }

  async close(): Promise<void> {
    this.#batch.flush();
    this.#socket.close(1001, "the gateway closes");
    await this.closed;
  }

  #send(frame: GatewayFrame): void {
    this.#batch.add(frame);
  }

  #receive(text: string, onAttached: () => void, onForeign: (error: Error) => void): void {
    const decoded = decodeFrames(WorkerFrame, text);
    if (!decoded.ok) return this.#socket.terminate(); // reported as the loss of its turns
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
    if (frame.type === "located") {
      this.#locating.get(frame.request)?.resolve(frame.session);
      this.#locating.delete(frame.request);
      return;
    }
    const listener = this.#turns.get(frame.turn);
    switch (frame.type) {
      case "accepted":
        return listener?.onAccepted();
      case "delta":
        return listener?.onText(frame.text);
      case "reasoning":
        return listener?.onReasoning(frame.text);
      case "refused":
        this.#turns.delete(frame.turn);
        return listener?.onRefused(frame.error);
      case "ended":
        this.#turns.delete(frame.turn);
        return listener?.onEnded(frame.end);
    }
  }

  #lose(): void {
    for (const answer of this.#locating.values()) answer.reject(lost());
    this.#locating.clear();
    const turns = [...this.#turns.values()];
    this.#turns.clear();
    for (const listener of turns) listener.onEnded({ state: "interrupted", error: LOST });
  }
}

function lost(): WireFailure {
  return new WireFailure(
    "worker_unavailable",
    "the workspace's worker is being restarted: try again in a moment",
    { retryAfterMs: 1_000 },
  );
}
