import { LoopBatch, type Logger } from "@synthesis/kit";
import {
  CloseCode,
  decodeFrames,
  encodeFrames,
  GatewayFrame,
  PROTOCOL_VERSION,
  type Attach,
  type Locate,
  type Steer,
  type TurnEnd,
  type WireError,
  type WorkerFrame,
} from "@synthesis/protocol";
import type { WebSocket } from "ws";
import { errorOf } from "../turn/error-of.ts";
import type { NumberedTurnEvent } from "../turn/turn-event.ts";
import type { TurnSink } from "../turn/turn-sink.ts";
import type { Workspace } from "../workspace.ts";
import { frameOfEvent } from "./frame-of-event.ts";

export interface GatewayLinkOptions {
  readonly socket: WebSocket;
  readonly workspace: Workspace;
  readonly name: string;
  readonly epoch: number;
  readonly log: Logger;
  /** It attached: links of dead generations are to be fenced. Returns false where it is of one itself. */
  onAttach(attach: Attach): boolean;
}

/** A gateway that leaves more than this unread has hung; it follows again from where it was. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** attaching: it has not said who it is. attached: served. closed: nothing it sent is acted on any more. */
type State = "attaching" | "attached" | "closed";

/** One gateway's connection. Its end cancels nothing: turns outlive the gateway that submitted them. */
export class GatewayLink implements TurnSink {
  readonly #options: GatewayLinkOptions;
  readonly #batch: LoopBatch<WorkerFrame>;
  #state: State = "attaching";
  #generation = 0;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    const { socket, log } = options;
    this.#batch = new LoopBatch((frames) => socket.send(encodeFrames(frames)));
    socket.on("message", (data: Buffer) => this.#receive(data.toString("utf8")));
    socket.on("error", (error) => log.warn("gateway_link.error", { error: error.message }));
    socket.on("close", () => this.#close());
  }

  /** Of the gateway process. */
  get generation(): number {
    return this.#generation;
  }

  /** Its gateway is dead: what it sent and was not read yet must have no effect. */
  fence(): void {
    this.#close();
    this.#options.socket.terminate();
  }

  accepted(turn: string, reset?: string): void {
    this.#send({ type: "accepted", turn, ...(reset === undefined ? {} : { reset }) });
  }

  refused(turn: string, error: WireError): void {
    this.#send({ type: "refused", turn, error });
  }

  event(turn: string, event: NumberedTurnEvent): void {
    this.#send(frameOfEvent(turn, event));
  }

  ended(turn: string, seq: number, end: TurnEnd): void {
    this.#send({ type: "ended", turn, seq, end });
  }

  gone(turn: string, end?: TurnEnd): void {
    this.#send({ type: "gone", turn, ...(end === undefined ? {} : { end }) });
  }

  /** The account of the headless agents is held, or not any more. */
  accountHeld(until: number | undefined): void {
    if (this.#state === "attached")
      this.#send({ type: "account_held", ...(until === undefined ? {} : { until }) });
  }

  #close(): void {
    this.#state = "closed";
    this.#options.workspace.unfollow(this);
  }

  /** What comes after the workspace has closed is for the next worker: the end of this link says so. */
  #receive(text: string): void {
    if (this.#state === "closed" || this.#options.workspace.isClosed) return;
    const decoded = decodeFrames(GatewayFrame, text);
    if (!decoded.ok) {
      this.#options.log.error("gateway_link.malformed", { why: decoded.message });
      return this.fence();
    }
    for (const frame of decoded.frames) void this.#answer(frame);
  }

  /** A question that meets a fault is answered with it; whatever else does, the gateway tries again on another link. */
  async #answer(frame: GatewayFrame): Promise<void> {
    if (this.#state === "closed") return;
    try {
      await this.#handle(frame);
    } catch (error) {
      this.#options.log.error("gateway_link.failed", { frame: frame.type, error: String(error) });
      if (!("request" in frame) || typeof frame.request !== "number") return this.fence();
      this.#send({ type: "unanswered", request: frame.request, error: errorOf(error) });
    }
  }

  #handle(frame: GatewayFrame): Promise<void> | void {
    if (frame.type === "attach") return this.#attach(frame);
    if (this.#state !== "attached") return this.fence();
    const { workspace } = this.#options;
    switch (frame.type) {
      case "locate":
        return this.#locate(frame.request, frame.by);
      case "find_turn": {
        const turn = workspace.find(frame.caller, frame.by);
        return this.#send({ type: "found_turn", request: frame.request, ...(turn && { turn }) });
      }
      case "submit":
        return workspace.submit(frame, this);
      case "follow":
        return workspace.follow(frame.turn, frame.after, this);
      case "taken":
        return workspace.take(frame.turn);
      case "cancel_turn":
        return workspace.cancel(frame.turn, frame.reason);
      case "steer":
        return this.#steer(frame);
      case "withdraw_steer":
        return workspace.withdrawSteer(frame.turn, frame.message);
    }
  }

  #attach(attach: Attach): void {
    const { workspace, name, epoch, socket } = this.#options;
    if (attach.protocol !== PROTOCOL_VERSION) return socket.close(CloseCode.unsupportedProtocol);
    this.#generation = attach.gateway;
    if (!this.#options.onAttach(attach)) return this.fence();
    this.#state = "attached";
    this.#send({ type: "attached", protocol: PROTOCOL_VERSION, workspace: name, epoch });
    this.accountHeld(workspace.account.until);
  }

  async #locate(request: number, by: Locate["by"]): Promise<void> {
    this.#send({ type: "located", request, ...(await this.#options.workspace.locate(by)) });
  }

  async #steer({ request, turn, message, prompt }: Steer): Promise<void> {
    const after = await this.#options.workspace.steer(turn, message, prompt);
    this.#send({ type: "steered", request, ...(after === undefined ? {} : { after }) });
  }

  #send(frame: WorkerFrame): void {
    const { socket, log } = this.#options;
    if (this.#state !== "attached" || socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_UNREAD_BYTES) {
      log.warn("gateway_link.not_reading", { generation: this.#generation });
      return this.fence();
    }
    this.#batch.add(frame);
  }
}
